"""`station page` and `station audit`: the operator page, and who did what on it."""

import asyncio
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from station.cli.terminal import ConfigOption, DataOption, out, settings_of, terminal_log, unhindered
from station.core.clock import SystemClock
from station.core.errors import ConfigError, PageError
from station.core.logs import configure_logs
from station.core.settings import data_dir

if TYPE_CHECKING:
    from station.page.audit import Link

audit_app = typer.Typer(help="Who did what on the operator page.", no_args_is_help=True, rich_markup_mode=None)


def page(
    config: ConfigOption = None,
    data: DataOption = None,
    end_with_parent: Annotated[bool, typer.Option("--end-with-parent", hidden=True)] = False,
) -> None:
    """Serve the operator page of the station with this data folder, until it is told to stop.

    It needs no running station, hears one as soon as it runs, and can neither hold nor end it.
    """
    settings = settings_of(config, "simulate.toml")
    require_page()
    from station.page.serving import serve_page

    folder = data_dir(settings, data)
    with unhindered(out) as screen:
        logs = folder / "logs" / "page"
        configure_logs(settings.station.log_level, logs, terminal_log(screen), settings.records.reserve_bytes)

        def say(line: str) -> None:
            screen.print(line, highlight=False, markup=False, soft_wrap=True)

        with sys.stdin if end_with_parent else nullcontext() as parent:
            asyncio.run(serve_page(settings, folder, SystemClock(), say, parent, file=config and config.absolute()))


@audit_app.command("verify")
def audit_verify(
    kept: Annotated[
        list[str] | None,
        typer.Option("--kept", metavar="NUMBER:HASH", help="A row that was kept elsewhere and must be there."),
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Make sure that the audit trail is as it was written; tell the number and hash of its last row, to be kept."""
    settings = settings_of(config, "simulate.toml")
    from station.page.audit import Audit
    from station.page.database import PageDatabase

    audit = Audit(PageDatabase(data_dir(settings, data)), SystemClock())
    last = audit.verify(map(_link, kept or ()))
    if last is None:
        out.print("the audit trail is empty")
        return
    out.print(f"the audit trail is whole; its last row, of {last.at}, is", highlight=False)
    out.print(f"{last.number}:{last.hash}", highlight=False, soft_wrap=True)


def require_page() -> None:
    """Make sure that the page's packages are installed.

    Raises:
        PageError: `page.not_installed`.
    """
    from importlib.util import find_spec

    if missing := [name for name in ("argon2", "babel", "jinja2", "starlette", "uvicorn") if find_spec(name) is None]:
        how = "pip install --no-deps --require-hashes -r requirements/run.txt -r requirements/page.txt"
        raise PageError("page.not_installed", f"{', '.join(missing)} is missing: {how}")


def _link(text: str) -> "Link":
    from station.page.audit import Link

    number, _, hashed = text.partition(":")
    if not number.isdecimal() or not hashed:
        raise ConfigError("config.bad_option", f"--kept {text}: write it as NUMBER:HASH")
    return Link(int(number), hashed)
