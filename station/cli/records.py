"""`station records`: list, show and export what was decided, and on what grounds."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from station.cli.records_cost import records_cost
from station.cli.terminal import ConfigOption, DataOption, JsonOption, out, settings_of
from station.core.errors import ConfigError
from station.core.ports.records import RecordReader
from station.core.promise import Suspension, suspended
from station.core.records import JsonObject, RecordFilter
from station.core.rulings import Rulings
from station.host.records import read_records
from station.view.waterfall import waterfall

records_app = typer.Typer(
    help="List, show and export the records of inspections.", no_args_is_help=True, rich_markup_mode=None
)
records_app.command("cost")(records_cost)

SinceOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only from this time on, ISO 8601, for example 2026-05-01T06:00.")
]
UntilOption = Annotated[str | None, typer.Option(metavar="TIME", help="Only before this time, ISO 8601.")]
VerdictOption = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Only this verdict; may be given more than once.")
]
PartOption = Annotated[str | None, typer.Option("--part", metavar="ID", help="Only this part id.")]


def _reader(config: Path | None, data: Path | None) -> RecordReader:
    return read_records(settings_of(config, "simulate.toml"), data)


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
    rows = _reader(config, data).records(_filter(since, until, verdict, part_id), limit)
    table = Table("inspection", "entered", "part", "type", "verdict", "confidence", "reason", "confirmed bin", box=None)
    for row in rows:
        table.add_row(*[escape(str(value)) for value in row])
    out.print(table)


@records_app.command("show")
def records_show(
    inspection_id: Annotated[str, typer.Argument(help="The inspection's id, or a beginning that only one has.")],
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one inspection and when each step of it was done; with --json everything that is recorded of it."""
    record = _reader(config, data).record(inspection_id)
    if as_json:
        print(json.dumps(record, indent=2))
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in _facts(record):
        table.add_row(name, escape(value), style="default")
    out.print(table)
    if record["defects"]:
        out.print(_defects(record["defects"]))
    for line in waterfall(record["times_ns"]) if record["times_ns"] else [Text("The part was not judged.")]:
        out.print(line, no_wrap=True, highlight=False)


def _facts(record: JsonObject) -> Iterator[tuple[str, str]]:
    """What a person asks first about an inspection."""
    yield "inspection", f"{record['inspection_id']}  {record['state']}"
    yield "part", f"{record['part_id']}  {record['part_type']}  entered {record['entered_at']}"
    if record["verdict"] is not None:
        confidence = "" if record["confidence"] is None else f"  confidence {record['confidence']:.3f}"
        yield "verdict", f"{record['verdict']}{confidence}"
    if record["algorithm1"] not in (None, record["verdict"]):
        yield "by Algorithm 1", record["algorithm1"]
    if record["reason"] is not None:
        yield "reason", f"{record['reason']}: {record['detail']}"
    yield "confirmed bin", record["confirmed_bin"] or "none"
    if record["model"] is not None:
        yield "model", f"{record['model']}@{record['model_sha256'][:12]}"
    if record["recipe"] is not None:
        yield "recipe", f"{record['recipe']}@{record['recipe_sha256'][:12]}  {record['rule']}"
    yield from _looks(record)
    if record["scan_file"] is not None:
        yield "scan", record["scan_file"]
    yield "", ""


def _looks(record: JsonObject) -> Iterator[tuple[str, str]]:
    """What was seen of the part beside its classes, and what a pass rests on."""
    if record["rules"] is not None:
        yield "by each rule", _rules(record["rules"])
    if record["light"] is not None:
        yield "light", _light(record["light"])
    if record["novelty"] is not None:
        yield "novelty", _novelty(record["novelty"])
    if record["screened"] is not None:
        yield "screened", f"{len(record['screened'])} of {len(record['probabilities'])} patches by the screener alone"
    if record["spot_check"] is not None:
        yield "spot check", _spot_check(record["spot_check"])
    if record["pass_threshold"] is not None:
        yield "a pass takes", f"{record['pass_threshold']:g}"
    if record["promise"] is not None:
        drift = record["drift"]
        yield "promised", suspended(record["promise"], Suspension.of(drift["suspended"]) if drift is not None else None)


def _rules(rules: JsonObject) -> str:
    """What each rule says of the scores, and what the answers were expected to cost."""
    said = ", ".join(f"{rule} {verdict}" for rule, verdict in rules["verdicts"].items())
    ruled = Rulings.of(rules)
    return f"{said}; {ruled.expected}" if ruled.expected else said


def _novelty(novelty: JsonObject) -> str:
    """How unlike the training the part was, and what that was held against."""
    seen = f"{novelty['score']:.3f} in patch {novelty['patch']}"
    if novelty["p"] is None:
        return f"{seen}, no good parts to hold it against"
    return (
        f"{seen}, p {novelty['p']:.4f}, limit {novelty['alpha']:.4f}, calibration {novelty['calibration_sha256'][:12]}"
    )


def _spot_check(draw: JsonObject) -> str:
    """The draw that was made for the part, as it can be made again."""
    drawn = "drawn" if draw["lot"] * draw["one_in"] < 1 else "not drawn"
    return f"{drawn}, one in {draw['one_in']}; lot {draw['lot']:.6f}, seed {draw['seed']}"


def _light(light: JsonObject) -> str:
    """How the part was lit, and what was made of it."""
    along = f", along the axis {', '.join(f'{one:.2f}' for one in light['gains'])}" if light["gains"] else ""
    return f"grey {light['level']:.0f}, gain {light['gain']:.2f}{along}"


def _defects(defects: Iterable[JsonObject]) -> Table:
    """What was found on the part and where; a place or size that was not measured stays empty."""
    table = Table("defect", "patch", "confidence", "angle", "axial", "along", "across", box=None)
    for defect in defects:
        lengths = [_measured(defect[name], ".2f", "mm") for name in ("axial_mm", "along_mm", "across_mm")]
        table.add_row(
            escape(defect["class"]),
            str(defect["patch"]),
            f"{defect['confidence']:.3f}",
            _measured(defect["angle_deg"], ".1f", "°"),
            *lengths,
        )
    return table


def _measured(value: float | None, form: str, unit: str) -> str:
    return "" if value is None else f"{value:{form}} {unit}"


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
        raise ConfigError("config.bad_option", "give --csv or --json, not both")
    chosen = _filter(since, until, verdict, part_id)
    for piece in _reader(config, data).export(chosen, "json" if as_json else "csv"):
        sys.stdout.write(piece)


def _filter(since: str | None, until: str | None, verdicts: list[str] | None, part_id: str | None) -> RecordFilter:
    return RecordFilter.parse(since, until, verdicts or [], part_id)
