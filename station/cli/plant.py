"""`station plant`: the records of this cell in the plant's database, and those of many cells from it."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from station.cli.terminal import (
    UNWELL,
    ConfigOption,
    DataOption,
    JsonOption,
    out,
    settings_of,
    terminal_log,
    unhindered,
)
from station.core.clock import SystemClock
from station.core.errors import FAULTS, ConfigError, PlantError
from station.core.logs import configure_logs
from station.core.moments import stamp
from station.core.settings import Settings, data_dir
from station.core.spreadsheet import csv_line
from station.host.records import feed_records

if TYPE_CHECKING:
    import psycopg

    from station.core.calendar import Shift
    from station.page.shift.reckoning import Report
    from station.page.terms import Terms
    from station.plant.central.reading import CentralReader
    from station.plant.central.shift import PlantShift
    from station.plant.central.standing import Standing

plant_app = typer.Typer(
    help="The records of many cells in the plant's own database.", no_args_is_help=True, rich_markup_mode=None
)

TakeOverOption = Annotated[
    bool,
    typer.Option("--take-over", help="Take the cell's name over from another data folder, as after a new computer."),
]
CellsOption = Annotated[
    list[str] | None, typer.Option("--cell", metavar="NAME", help="Only this cell; may be given more than once.")
]


def _installed() -> None:
    """Make sure that what this needs is there."""
    if missing := [name for name in ("psycopg", "obstore") if find_spec(name) is None]:
        how = "pip install --no-deps --require-hashes -r requirements/run.txt -r requirements/central.txt"
        raise PlantError("plant.not_installed", f"{', '.join(missing)} is missing: {how}")


def _settings(config: Path | None) -> Settings:
    settings = settings_of(config, "simulate.toml")
    _installed()
    return settings


@contextmanager
def _connected(settings: Settings) -> "Iterator[psycopg.Connection]":
    """A connection to a database whose tables this version may write.

    Raises:
        PlantError: It cannot be reached, refuses, or is of another version.
    """
    from station.plant.central.connection import connect, told
    from station.plant.central.schema import require_usable

    with connect(settings.central) as connection, told(settings.central):
        require_usable(connection)
        yield connection


# ---------------------------------------------------------------------- the process


@plant_app.command()
def replicate(
    once: Annotated[bool, typer.Option("--once", help="Replicate what waits now, and end.")] = False,
    take_over: TakeOverOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Replicate the records of this cell into the plant's database, and its scans into its store, until told to stop.

    It needs neither a running station nor a plant that is there, and can neither hold nor end the cell.
    """
    settings = _settings(config)
    from station.plant.central.serving import replicate as serve
    from station.plant.central.serving import replicate_once

    folder = data_dir(settings, data)
    with unhindered(out) as screen:
        logs = folder / "logs" / "central"
        configure_logs(settings.station.log_level, logs, terminal_log(screen), settings.records.reserve_bytes)

        def say(line: str) -> None:
            screen.print(line, highlight=False, markup=False, soft_wrap=True)

        if once:
            count = asyncio.run(replicate_once(settings, folder, SystemClock(), say, take_over=take_over))
            say(f"{count} inspections, events, alarms, labels and scans were replicated")
        else:
            asyncio.run(serve(settings, folder, SystemClock(), say, take_over=take_over))


@plant_app.command()
def migrate(
    grant: Annotated[
        str | None, typer.Option(metavar="USER", help="Give this user of the database what a cell needs there.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Make the tables in the plant's database, or bring them up to this version; as a user who may make a schema."""
    settings = _settings(config)
    from station.plant.central.connection import connect, told
    from station.plant.central.schema import migrate as bring_up

    with connect(settings.central) as connection, told(settings.central):
        done = bring_up(connection, grant)
    if done.before == done.now:
        out.print(f"The tables are of version {done.now} already.")
    else:
        out.print(f"The tables are of version {done.now} now; they were of version {done.before}.")
    if grant is not None:
        out.print(escape(f"{grant} may replicate a cell's records."))


# ---------------------------------------------------------------------- how it stands


@plant_app.command()
def status(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Tell how the replication stands; exit status 0 only where nothing needs looking after."""
    settings = _settings(config)
    from station.plant.central.serving import cell_name
    from station.plant.central.standing import standing_of

    folder = data_dir(settings, data)
    found = standing_of(settings, cell_name(settings), folder, feed_records(settings, data), SystemClock().now())
    if as_json:
        problem = found.problem and {"code": found.problem.code, "text": str(found.problem)}
        print(
            json.dumps({**asdict(found), "problem": problem, "room": str(found.room), "well": found.is_well}, indent=2)
        )
    else:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for name, value in _standing(found):
            table.add_row(name, escape(value))
        out.print(table)
    if not found.is_well:
        raise typer.Exit(UNWELL)


def _standing(found: "Standing") -> Iterator[tuple[str, str]]:
    yield "cell", found.cell
    yield "database", found.database
    if found.problem is not None:
        yield "problem", f"{found.problem.code}: {found.problem}"
    yield "told last", f"{found.last or 'nothing'}  {found.told_at or ''}".strip()
    waits = f"{found.waiting} inspections, the first for {found.lag_s:.0f} s" if found.waiting else "nothing"
    yield "waiting", f"{waits}; start `station plant replicate`" if found.late else waits
    if found.scans_waiting is not None:
        yield "scans waiting", str(found.scans_waiting)
    if found.scans:
        yield "scans", ", ".join(f"{count} {state}" for state, count in found.scans.items())
    yield "disk", str(found.room)


@plant_app.command()
def verify(
    objects: Annotated[bool, typer.Option("--objects", help="Read every scan in the store as well.")] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Write again from the cell's records and archive what differs.")
    ] = False,
    since: Annotated[
        str, typer.Option(metavar="MONTH", help="Nothing older than this month, as 2026-05; else all.")
    ] = "",
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Compare the plant's database with this cell's records, row by row; exit status 0 where all agrees."""
    settings = _settings(config)
    bucket = settings.central.store.bucket
    if objects and not bucket:
        raise ConfigError("config.bad_option", "--objects needs central.store.bucket")
    from station.plant.central.book import Book
    from station.plant.central.sending import Sending
    from station.plant.central.serving import cell_name
    from station.plant.central.verifying import Asked, Verifying

    asked = Asked(_month(since), objects=objects, repair=repair)
    folder, feed, cell = data_dir(settings, data), feed_records(settings, data), cell_name(settings)
    store = None
    if bucket and (objects or repair):
        from station.plant.central.scans import ScanStore

        store = ScanStore(settings.central.store)
    page = Book(folder).read()
    with _connected(settings) as connection:
        sending = Sending(connection, cell, feed, folder, page.station_id if page else "")
        sending.find()
        found = Verifying(connection, cell, feed, folder, sending, store).verify(asked)
    out.print(f"{found.compared} inspections compared, {found.waiting} wait; {found.objects} scans read.")
    for words in found.findings:
        out.print(escape(words), soft_wrap=True, highlight=False)
    if found.differences > len(found.findings):
        out.print(f"and {found.differences - len(found.findings)} more")
    if found.written:
        out.print(f"{found.written} of them were written again.")
    if found.differences:
        raise typer.Exit(UNWELL)


def _month(text: str) -> str:
    """A month, as it was written.

    Raises:
        ConfigError: It is none.
    """
    try:
        if text:
            date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise ConfigError("config.bad_option", f"{text!r} is no month; write it as 2026-05") from error
    return text


# ---------------------------------------------------------------------- many cells


@plant_app.command()
def search(
    terms: Annotated[
        list[str] | None,
        typer.Argument(metavar="TERM...", help="Conditions as the operator page's search has them, as verdict:pits."),
    ] = None,
    cells: CellsOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest first.")] = 50,
    before: Annotated[str | None, typer.Option(metavar="KEY", help="Go on after the page that named this.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search among the inspections of all cells, by the same conditions as the operator page."""
    settings = _settings(config)
    asked = _terms(settings, terms or [])
    from station.labels.agreement import inspections_called
    from station.page.terms import sought_by

    with _connected(settings) as connection:
        reader = _reader(connection)
        called: Callable[[str], set[str]] = lambda name: inspections_called(reader.labels_saying(name), name)  # noqa: E731
        sought = sought_by(asked, settings.plant.zone, called)
        try:
            found = reader.search(sought, cells or [], before, limit)
        except ValueError as error:
            raise ConfigError("config.bad_option", f"--before {before} names no page") from error
    if as_json:
        rows = [{"cell": cell, **row._asdict()} for cell, row in found.rows]
        print(json.dumps({"rows": rows, "before": found.before}, indent=2))
        return
    headings = ("cell", "inspection", "entered", "part", "type", "verdict", "confidence", "reason", "confirmed bin")
    table = Table(*headings, box=None)
    for cell, row in found.rows:
        table.add_row(*map(escape, (cell, *row)))
    out.print(table)
    if found.before is not None:
        out.print(escape(f"more: --before '{found.before}'"), soft_wrap=True, highlight=False)


def _terms(settings: Settings, words: list[str]) -> "Terms":
    """What is asked.

    Raises:
        ConfigError: It cannot be read.
    """
    from station.labels.label import BUILT_IN
    from station.page.terms import read_terms

    table = settings.table
    known = {
        "verdict": tuple(verdict.name for verdict in table.verdicts),
        "type": tuple(settings.part_types),
        "reason": tuple(FAULTS),
        "label": (*table.names, *BUILT_IN),
        "class": table.names,
    }
    read = read_terms(" ".join(words), settings.plant.zone, known)
    if read.misread:
        said = ", ".join(f"{one.text!r} ({one.why})" for one in read.misread)
        raise ConfigError("config.bad_option", f"cannot be read: {said}")
    return read


def _reader(connection: "psycopg.Connection") -> "CentralReader":
    from station.plant.central.reading import CentralReader

    return CentralReader(connection)


@plant_app.command()
def alarms(
    cells: CellsOption = None,
    history: Annotated[
        bool, typer.Option("--history", help="All that there ever were, not only those that stand.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest first.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the alarms of all cells that are active, or over and not acknowledged, as far as they are told."""
    settings = _settings(config)
    with _connected(settings) as connection:
        reader = _reader(connection)
        found = (reader.alarm_history if history else reader.alarms)(cells or [], limit)
    if as_json:
        print(json.dumps([{"cell": cell, **alarm} for cell, alarm in found], indent=2))
        return
    if not found:
        out.print("no alarms")
        return
    table = Table("cell", "raised", "alarm", "over", "acknowledged", "times", "last", "detail", box=None)
    for cell, alarm in found:
        seen = " ".join(filter(None, (alarm["acknowledged_at"], alarm["acknowledged_by"])))
        row = (cell, alarm["raised_at"], alarm["code"], alarm["cleared_at"] or "-", seen or "-", alarm["count"],
               alarm["last_at"], alarm["detail"])  # fmt: skip
        table.add_row(*(escape(str(value)) for value in row))
    out.print(table)


@plant_app.command()
def shift(
    day: Annotated[
        str | None, typer.Option(metavar="DATE", help="Of this day, as 2026-05-01; else the present one.")
    ] = None,
    number: Annotated[int, typer.Option(min=1, help="Which shift of the day.")] = 1,
    cells: CellsOption = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Every figure as CSV, as the operator page has it.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell a shift of many cells, each and together, reckoned as the operator page reckons its own."""
    settings = _settings(config)
    now = SystemClock().now()
    asked = _shift(settings, day, number)
    from station.plant.central.shift import shift_of

    with _connected(settings) as connection:
        reader = _reader(connection)
        known = reader.cells()
        if strange := [cell for cell in cells or [] if cell not in known]:
            raise ConfigError("config.bad_option", f"no cell: {', '.join(strange)}; there are {', '.join(known)}")
        found = shift_of(reader, settings, cells or known, asked, now)
    if as_csv or as_json:
        rows = list(_figures(found, settings))
        sys.stdout.write("".join(map(csv_line, rows)) if as_csv else json.dumps(_document(rows), indent=2) + "\n")
        return
    _show_shift(found, settings)


def _shift(settings: Settings, day: str | None, number: int) -> "Shift":
    """The shift that is asked for, which has begun.

    Raises:
        ConfigError: It is no shift, or has not begun.
    """
    calendar, now = settings.plant.calendar, SystemClock().now()
    if day is None:
        return calendar.at(now)
    try:
        found = calendar.shift(date.fromisoformat(day), number)
    except (ValueError, OverflowError) as error:
        raise ConfigError("config.bad_option", f"there is no shift {number} of {day}") from error
    if found.begin > now:
        raise ConfigError("config.bad_option", f"the shift {number} of {day} has not begun")
    return found


def _figures(found: "PlantShift", settings: Settings) -> Iterator[tuple[object, ...]]:
    """The page's table of each cell and of all together, each row with the cell in front."""
    from station.page.shift.rows import rows_of

    zone = settings.plant.zone
    for row, (cell, report) in enumerate([*found.cells.items(), ("", found.together)]):
        heading, *figures = rows_of(report, zone)
        if row == 0:
            yield ("cell", *heading)
        yield from ((cell, *figure) for figure in figures)


def _document(rows: list[tuple[object, ...]]) -> list[dict[str, Any]]:
    names = [str(name) for name in rows[0]]
    return [dict(zip(names, row, strict=True)) for row in rows[1:]]


def _show_shift(found: "PlantShift", settings: Settings) -> None:
    shown = found.together
    out.print(f"shift {shown.shift.number} of {shown.shift.day}, until {stamp(shown.until)}", highlight=False)
    table = Table(
        "cell", "judged", "passed", "review", "laid away", "in Execute", "stops", "availability", "quality", "OEE",
        box=None,
    )  # fmt: skip
    passing = settings.table.passing.name
    for cell, report in [*found.cells.items(), ("together", shown)]:
        table.add_row(escape(cell), *_columns(report, passing))
    out.print(table)


def _columns(report: "Report", passing: str) -> tuple[str, ...]:
    from station.core.verdicts import REVIEW
    from station.page.shift.account import EXECUTE

    parts, oee = report.parts, report.oee
    share: Callable[[float | None], str] = lambda value: "-" if value is None else f"{value:.1%}"  # noqa: E731
    ran = report.states.get(EXECUTE)
    return (
        str(parts.judged), str(parts.verdicts.get(passing, 0)), str(parts.verdicts.get(REVIEW, 0)),
        str(parts.laid_away), str(ran).split(".")[0] if ran else "0:00:00", str(len(report.stops)),
        share(oee.availability), share(oee.quality), share(oee.oee),
    )  # fmt: skip
