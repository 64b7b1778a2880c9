"""`station challenge`: golden parts: ask for them, see where they stand, and list what a failed one makes suspect."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from station.cli.terminal import UNWELL, ConfigOption, DataOption, JsonOption, err, out, settings_of
from station.core.errors import ConfigError
from station.core.ports.references import ReferenceReader
from station.core.settings import data_dir
from station.host.records import read_references

challenge_app = typer.Typer(
    help="Golden parts: ask for them, see what they were judged to be, list what is suspect.",
    no_args_is_help=True, rich_markup_mode=None,
)  # fmt: skip


def _reader(config: Path | None, data: Path | None) -> ReferenceReader:
    return read_references(settings_of(config, "simulate.toml"), data)


@challenge_app.command("due")
def challenge_due(
    part_type: Annotated[str, typer.Argument(help="Name of a part type; or all.")] = "all",
    because: Annotated[
        str, typer.Option(metavar="WORDS", help="Why, for the record: a new lamp, a new camera.")
    ] = "asked for",
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Have the running station judge the golden parts of a type, or of all, before any other part of it."""
    from station.host.control import ask

    folder = data or data_dir(settings_of(config, "simulate.toml"))
    answer = asyncio.run(ask(folder, f"challenge {part_type} {because}"))
    if answer["refused"]:
        err.print(escape(answer["refused"]), highlight=False, soft_wrap=True)
        raise typer.Exit(UNWELL)
    out.print("golden parts are due", highlight=False)


@challenge_app.command("list")
def challenge_list(
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 50,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what happened: when golden parts were due and why, what each was judged to be, and how it ended."""
    rows = _reader(config, data).challenges(limit)
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table("number", "at", "type", "", "golden part", "is", "judged", "due because of", box=None)
    for row in rows:
        found = row["found"] or ("could not be judged" if row["golden"] else "")
        judged = (row["golden"] or "", row["expected"] or "", found)
        told = (str(row["number"]), row["at"], row["part_type"], row["event"], *judged, row["cause"])
        table.add_row(*map(escape, told))
    out.print(table)


@challenge_app.command("suspects")
def challenge_suspects(
    number: Annotated[
        int | None, typer.Argument(help="Of the failed challenge, as `list` has it; by default the newest.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every part of the type between a failed challenge and the passed one before, with its scan's file."""
    found = _reader(config, data).suspects(number)
    if found is None and number is not None:
        raise ConfigError("config.bad_option", f"number {number} is no failed challenge; `station challenge list`")
    if as_json:
        print(json.dumps(found, indent=2))
        return
    if found is None:
        out.print("no challenge has failed")
        return
    failed, passed, parts = found["failed"], found["passed"], found["parts"]
    since = f"the one passed at {passed['at']}" if passed else "the beginning of the records: none was passed before"
    out.print(
        f"{failed['golden']} is {failed['expected']}, judged {failed['found']} at {failed['at']}; "
        f"{len(parts)} parts of {failed['part_type']} since {since}", highlight=False, soft_wrap=True, markup=False,
    )  # fmt: skip
    table = Table("inspection", "entered", "part", "verdict", "place", "scan", box=None)
    for one in parts:
        scan = one["scan_file"] if one["scan_state"] == "archived" else one["scan_state"] or "not archived"
        verdict, place = one["verdict"] or one["state"], one["confirmed_bin"] or "none"
        table.add_row(*map(escape, (one["inspection_id"], one["entered_at"], one["part_id"], verdict, place, scan)))
    out.print(table)
