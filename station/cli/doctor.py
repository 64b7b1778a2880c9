"""`station doctor`: what support needs to know of a station that is not well, in one file without secrets."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from station.cli.terminal import ConfigOption, DataOption, out, settings_of
from station.core.clock import SystemClock
from station.core.errors import ConfigError, ControlError
from station.core.settings import data_dir


def doctor(
    place: Annotated[Path, typer.Argument(metavar="FILE", help="Where it goes, for example bundle.tar.gz.")],
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Gather configuration, versions, state, alarms, events and logs of a station; no password, person or scan.

    It changes nothing, and needs no running station.
    """
    from station.host.control import ask
    from station.host.records import read_records
    from station.offline.upkeep.doctor import pages_of, secrets_of, write_bundle

    if place.exists():
        raise ConfigError("config.bad_option", f"{place} is there already; give another name")
    settings = settings_of(config, "simulate.toml")
    folder, now = data_dir(settings, data), SystemClock().now()
    try:
        answer: dict[str, Any] | str = asyncio.run(ask(folder, "status"))
    except ControlError as error:
        answer = str(error)
    pages = pages_of(settings, folder, read_records(settings, data), answer, now)
    names = write_bundle(place, pages, folder / "logs", secrets_of(settings), now)
    out.print(f"{place}: {len(names)} files; look through it before you give it away", highlight=False, soft_wrap=True)
