"""A data folder with very many inspections, written by SQL at once: for what questions find, and how much that takes.

`python -m tests.many_records FOLDER COUNT` makes one.
"""

import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from station.core.moments import stamp
from station.records.database import DATABASE
from station.records.schema import migrate

BEGUN = datetime(2025, 1, 1, tzinfo=UTC)
APART_S = 15
CLASSES = '["defect_free","imprinted","pits","roll_marks","scratches"]'
REASONS = ("part.low_confidence", "scan.late", "part.unknown", "scan.incomplete")
TIMES = '{"blocks":[' + ",".join(["[1234567890123,1234567890456,1234567890789]"] * 8) + "]}"
SETTINGS = '{"width_px":385,"geometry":{"lines_per_turn":3584},"filler":"' + "x" * 400 + '"}'

INSPECTION = """INSERT INTO inspections (number, inspection_id, part_id, part_type, part_type_settings, part_sequence,
    type_code, state, entered_at, judged_at, sorted_at, verdict, reason, detail, destination, confirmed_bin)
    VALUES (?, ?, ?, ?, ?, ?, 7, 'sorted', ?, ?, ?, ?, ?, 'as measured', 'bin', 'bin')"""
JUDGEMENT = """INSERT INTO judgements (inspection, algorithm1, verdict, reason, detail, confidence, deciding_patch,
    defect_patches, probabilities, lines_expected, lines_delivered, blocks, frame_ids, discarded_blocks, scan_detail,
    features, model, model_sha256, config_sha256, times_ns, ms_after_last_line, classes, rule, defects)
    VALUES (?, ?, ?, ?, 'as measured', 0.9, 3, ?, ?, 3584, 3584, 8, '[0,1,2,3,4,5,6,7]', 0, '3584 lines', ?, ?, 'ab',
    'c0', ?, 12.5, ?, 'algorithm1', ?)"""
DEFECT = "INSERT INTO defects (inspection, rank, class, patch, confidence) VALUES (?, ?, ?, ?, 0.9)"


def write_many(folder: Path, count: int) -> None:
    """Make the records of so many parts."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        migrate(connection, 0)
        connection.execute("BEGIN")
        connection.execute("INSERT INTO configurations VALUES ('c0', '{}', '2025-01-01T00:00:00.000Z')")
        _write(connection, 1, count, count)
        connection.execute("COMMIT")


def write_more(connection: sqlite3.Connection, first: int, last: int) -> None:
    """Let these come in after those that are there."""
    connection.execute("BEGIN")
    _write(connection, first, last, first - 1)
    connection.execute("COMMIT")


def _write(connection: sqlite3.Connection, first: int, last: int, count: int) -> None:
    scores = np.full((16, 5), 0.2, np.float32).tobytes()
    for number in range(first, last + 1):
        _write_one(connection, told(number, count), scores)


@dataclass(frozen=True)
class Told:
    """What is told of one part."""

    number: int
    inspection: str
    part: str
    part_type: str
    at: str
    verdict: str
    reason: str | None
    defects: tuple[str, ...]
    model: str


def told(number: int, count: int) -> Told:
    """One part of so many: one in fifty in review, one in forty with pits, one in a hundred scratched.

    Two types and two networks follow each other half-way; of every 97th part the clock was an hour behind.
    """
    verdict = "pits" if number % 40 == 3 else "scratches" if number % 100 == 11 else "defect_free"
    reason = REASONS[number // 50 % len(REASONS)] if number % 50 == 7 else None
    at = moment_of(number) - timedelta(hours=number % 97 == 0)
    early = number <= count // 2
    return Told(
        number=number,
        inspection=f"{at:%Y%m%dT%H%M%S}000-{number:07d}",
        part=f"SMH-{number:07d}",
        part_type="early" if early else "late",
        at=stamp(at),
        verdict="review" if reason else verdict,
        reason=reason,
        defects=("pits", "scratches", "pits") if reason else () if verdict == "defect_free" else (verdict, verdict),
        model="network-1" if early else "network-2",
    )


def moment_of(number: int) -> datetime:
    """When this part came in, by a clock that is right."""
    return BEGUN + timedelta(seconds=APART_S * number)


def _write_one(connection: sqlite3.Connection, one: Told, scores: bytes) -> None:
    row = (one.number, one.inspection, one.part, one.part_type, SETTINGS, one.number % 60000, one.at, one.at, one.at)
    connection.execute(INSPECTION, (*row, one.verdict, one.reason))
    first = "pits" if one.defects else "defect_free"
    judged = (one.number, first, one.verdict, one.reason, len(one.defects), scores, "{}" + " " * 200, one.model, TIMES)
    connection.execute(JUDGEMENT, (*judged, CLASSES, len(one.defects)))
    connection.executemany(DEFECT, [(one.number, rank, name, rank) for rank, name in enumerate(one.defects, 1)])


if __name__ == "__main__":
    write_many(Path(sys.argv[1]), int(sys.argv[2]))
