"""`station records`: list, show and export what was decided, and on what grounds."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from station.core.errors import ConfigError
from station.core.settings import data_dir
from station.records.query import RecordFilter, export_records, list_records, show_record
from station.terminal import ConfigOption, DataOption, out, settings_of

records_app = typer.Typer(
    help="List, show and export the records of inspections.", no_args_is_help=True, rich_markup_mode=None
)

SinceOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only from this time on, ISO 8601, for example 2026-05-01T06:00.")
]
UntilOption = Annotated[str | None, typer.Option(metavar="TIME", help="Only before this time, ISO 8601.")]
VerdictOption = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Only this verdict; may be given more than once.")
]
PartOption = Annotated[str | None, typer.Option("--part", metavar="ID", help="Only this part id.")]


def _folder(config: Path | None, data: Path | None) -> Path:
    return data or data_dir(settings_of(config, "simulate.toml"))


@records_app.command("list")
def records_list(
    since: SinceOption = None,
    until: UntilOption = None,
    verdict: VerdictOption = None,
    part_id: PartOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 50,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """List the newest inspections."""
    rows = list_records(_folder(config, data), _filter(since, until, verdict, part_id), limit)
    table = Table("inspection", "entered", "part", "type", "verdict", "confidence", "reason", "confirmed bin", box=None)
    for row in rows:
        table.add_row(*[escape(str(value)) for value in row])
    out.print(table)


@records_app.command("show")
def records_show(
    inspection_id: Annotated[str, typer.Argument(help="The inspection's id, or a beginning that only one has.")],
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show everything that is recorded of one inspection."""
    print(json.dumps(show_record(_folder(config, data), inspection_id), indent=2))


@records_app.command("export")
def records_export(  # one argument an option
    since: SinceOption = None,
    until: UntilOption = None,
    verdict: VerdictOption = None,
    part_id: PartOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Export as a JSON list.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Export as CSV (the default).")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Export inspections, oldest first, as CSV or JSON on standard output."""
    if as_json and as_csv:
        raise ConfigError("config.invalid", "give --csv or --json, not both")
    chosen = _filter(since, until, verdict, part_id)
    for piece in export_records(_folder(config, data), chosen, "json" if as_json else "csv"):
        sys.stdout.write(piece)


def _filter(since: str | None, until: str | None, verdicts: list[str] | None, part_id: str | None) -> RecordFilter:
    return RecordFilter.parse(since, until, verdicts or [], part_id)
