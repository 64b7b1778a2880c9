"""How far the plant's database lags behind many cells, and how searches and shifts grow with what is recorded.

    python -m tests.plant.central_bench lag --cells 100 --rate 0.1 --seconds 60 --scan-kb 200
    python -m tests.plant.central_bench growth --count 10000 --count 100000

`lag` writes the records of so many cells as their stations would, a part after the other, and has each replicated by a
replication of its own in this one process; it tells how long after its end an inspection, and its scan, was in the
plant's database. `growth` replicates one cell with so many inspections, and tells what that, searches and shifts took.
"""

import asyncio
import hashlib
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from station.core.calendar import Shift
from station.core.clock import SystemClock
from station.core.moments import stamp
from station.core.settings import Settings
from station.core.sought import Sought
from station.plant.central.connection import connect
from station.plant.central.reading import CentralReader
from station.plant.central.serving import Pace, Replication
from station.plant.central.shift import shift_of
from station.records.database import DATABASE
from station.records.schema import migrate
from tests.many_records import BEGUN, CLASSES, SETTINGS, TIMES, moment_of, write_many
from tests.plant.central import USER, caught_up, configured, holds, prepared
from tests.plant.postgres import Postgres, postgres
from tests.plant.scan_store import scan_store

PACE = Pace()
BENCH = "bench"
LAGS = """SELECT count(*), percentile_cont(ARRAY[0.5, 0.99, 1.0]) WITHIN GROUP (ORDER BY extract(epoch FROM lag))
    FROM (SELECT {at} - i.closed_at AS lag FROM {tables}) told"""
INSPECTIONS = LAGS.format(at="replicated_at", tables="inspections i")
SCANS = LAGS.format(at="stored_at", tables="inspections i JOIN scans USING (cell, inspection_id, entered_at)")
INSPECTION = """INSERT INTO inspections (inspection_id, part_id, part_type, part_type_settings, part_sequence,
    type_code, state, entered_at, judged_at, sorted_at, verdict, detail, destination, confirmed_bin)
    VALUES (?, ?, 'smh_385', ?, 1, 7, 'sorted', ?, ?, ?, 'pits', 'as measured', 'bin', 'bin')"""
JUDGEMENT = """INSERT INTO judgements (inspection, algorithm1, verdict, detail, confidence, deciding_patch,
    defect_patches, probabilities, lines_expected, lines_delivered, blocks, frame_ids, discarded_blocks, scan_detail,
    features, model, model_sha256, config_sha256, times_ns, ms_after_last_line, classes, rule, defects)
    VALUES (?, 'pits', 'pits', 'as measured', 0.9, 3, 2, ?, 3584, 3584, 8, '[0,1,2,3,4,5,6,7]', 0, '3584 lines', '{}',
    'network', 'ab', 'c0', ?, 12.5, ?, 'algorithm1', 1)"""
DEFECT = "INSERT INTO defects (inspection, rank, class, patch, confidence) VALUES (?, 1, 'pits', 3, 0.9)"
SCAN = """INSERT INTO scans (inspection, state, file, left_column, sha256, detail)
    VALUES (?, 'archived', ?, 0, ?, '')"""
SCORES = np.full((16, 5), 0.2, np.float32).tobytes()

bench = typer.Typer(no_args_is_help=True)


class Line:
    """A cell's records, written as its station does: a transaction a part, durable."""

    def __init__(self, folder: Path, name: str, scan_bytes: int) -> None:
        self.folder, self.inspected = folder, 0
        self._name, self._scan_bytes = name, scan_bytes
        (folder / "archive").mkdir(parents=True)
        self._connection = sqlite3.connect(folder / DATABASE, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        migrate(self._connection, 0)
        self._connection.execute("INSERT INTO configurations VALUES ('c0', '{}', '2025-01-01T00:00:00.000Z')")

    def inspect(self) -> None:
        """One part, sorted now, with its scan."""
        self.inspected += 1
        now = stamp(datetime.now(UTC))
        identity = f"{now[:19].replace('-', '').replace(':', '')}000-{self.inspected:06d}"
        self._connection.execute("BEGIN IMMEDIATE")
        row = self._connection.execute(
            INSPECTION, (identity, f"{self._name}-{self.inspected}", SETTINGS, now, now, now)
        ).lastrowid
        self._connection.execute(JUDGEMENT, (row, SCORES, TIMES, CLASSES))
        self._connection.execute(DEFECT, (row,))
        if self._scan_bytes:
            content = os.urandom(self._scan_bytes)
            file = f"archive/{identity}.png"
            (self.folder / file).write_bytes(content)
            self._connection.execute(SCAN, (row, file, hashlib.sha256(content).hexdigest()))
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """End it."""
        self._connection.close()


@bench.command()
def lag(
    cells: Annotated[int, typer.Option(min=1)] = 100,
    rate: Annotated[float, typer.Option(min=0.001, help="Parts a second and cell.")] = 0.1,
    seconds: Annotated[float, typer.Option(min=1)] = 60.0,
    scan_kb: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """How long after its end an inspection is in the plant's database."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres())
        server.make_user(USER)
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = stack.enter_context(scan_store(home)).settings() if scan_kb else {}
        prepared(server, BENCH)
        lines = [Line(home / f"cell-{number}", f"{number}", scan_kb * 1000) for number in range(cells)]
        with _told(f"{cells} cells x {rate:g} parts/s x {seconds:g} s, scans of {scan_kb} kB"):
            asyncio.run(_lag(server, lines, rate, seconds, store))
        for line in lines:
            line.close()
        for what, question in (("inspections", INSPECTIONS), ("scans", SCANS)):
            with server.owner(BENCH) as connection:
                found = connection.execute(question).fetchone()  # type: ignore[call-overload]
            if found and found[0]:
                median, p99, most = found[1]
                typer.echo(f"{found[0]} {what}: lag median {median:.2f} s, p99 {p99:.2f} s, most {most:.2f} s")


async def _lag(server: Postgres, lines: list[Line], rate: float, seconds: float, store: dict[str, object]) -> None:
    ended = asyncio.Event()
    working = [
        asyncio.create_task(_replication(server, line, number, store, ended).run()) for number, line in enumerate(lines)
    ]
    begun = time.monotonic()
    await asyncio.gather(*(_produce(line, rate, begun + seconds) for line in lines))
    wanted = sum(line.inspected for line in lines)
    for table in ("inspections", *(["scans"] if store else [])):
        await holds(server, BENCH, wanted, table)
    ended.set()
    await asyncio.gather(*working)


def _replication(
    server: Postgres, line: Line, number: int, store: dict[str, object], ended: asyncio.Event
) -> Replication:
    settings = configured(server.port, BENCH, cell=f"cell {number}", store=store)
    return Replication(settings, line.folder, SystemClock(), lambda _line: None, ended, pace=PACE)


async def _produce(line: Line, rate: float, until: float) -> None:
    apart = 1 / rate
    at = time.monotonic() + random.random() * apart  # noqa: S311  # no secret
    while at < until:
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        await asyncio.to_thread(line.inspect)
        at += apart


@bench.command()
def growth(count: Annotated[list[int], typer.Option(min=1)]) -> None:
    """How replication, searches and shifts grow with what is recorded."""
    with postgres() as server, tempfile.TemporaryDirectory() as home:
        server.make_user(USER)
        for one in count:
            settings, folder = prepared(server, f"{BENCH}-{one}"), Path(home) / str(one)
            write_many(folder, one)
            typer.echo(f"{one} inspections")
            with _told("  replicated"):
                asyncio.run(caught_up(settings, folder))
            with closing(connect(settings.central)) as connection:
                _ask(CentralReader(connection), settings, one)


def _ask(reader: CentralReader, settings: Settings, count: int) -> None:
    cell = reader.cells()[0]
    middle = moment_of(count // 2)
    searches: dict[str, Sought] = {
        "everything": Sought(),
        "a verdict": Sought(verdict="pits"),
        "a class of defect": Sought(defect="scratches"),
        "a reason and a type": Sought(reason="part.unknown", part_type="early"),
        "a model": Sought(model="network-1"),
        "a part": Sought(part=f"SMH-{count // 3:07d}"),
        "an hour": Sought(since=stamp(middle), until=stamp(middle + timedelta(hours=1)), verdict="review"),
        "nothing": Sought(reason="camera.lost"),
    }
    for name, sought in searches.items():
        _measured(f"  search for {name}", lambda sought=sought: reader.search(sought, [], None, 100))
    shift = Shift(BEGUN.date(), 1, BEGUN, BEGUN + timedelta(hours=8))
    _measured("  shift of 8 h", lambda: shift_of(reader, settings, [cell], shift, shift.end))


def _measured(name: str, job: Callable[[], Any]) -> None:
    """The median of some runs, by the clock: the server's processor time is not this process's."""
    times = []
    for _run in range(7):
        begun = time.perf_counter()
        job()
        times.append((time.perf_counter() - begun) * 1000)
    typer.echo(f"{name}: {sorted(times)[3]:.1f} ms, least {min(times):.1f} ms")


@contextmanager
def _told(name: str) -> Iterator[None]:
    begun, processor = time.monotonic(), time.process_time()
    yield
    typer.echo(
        f"{name}: {time.process_time() - processor:.1f} s of the processor, {time.monotonic() - begun:.1f} s in all"
    )


if __name__ == "__main__":
    bench()
