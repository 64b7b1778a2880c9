"""What is written of inspections, scans and events, in SQL; `orders` and `judgements` write the rest.

Every function works inside the caller's transaction and leaves it to it to commit.

Raises:
    BugError: From every function that changes an inspection: it is unknown, or does not stand where this change starts
        from.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from station.core.errors import BugError, Fault
from station.core.moments import moment, stamp
from station.core.part import Announcement, Inspection, PartType
from station.core.table import default_geometry
from station.core.timeline import SettleTimes
from station.core.verdicts import Place

ID_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # without I, L, O and U, which are misread
ID_RANDOM_LETTERS = 7

ENTER = """INSERT INTO inspections
    (inspection_id, part_id, part_type, part_type_settings, part_sequence, type_code, state, entered_at, detail)
    VALUES (:inspection_id, :part_id, :part_type, :part_type_settings, :part_sequence, :type_code, 'open', :at, '')"""
CHANGES = {
    "judged": """UPDATE inspections SET state = 'judged', judged_at = :at, verdict = :verdict, reason = :reason,
        detail = :detail, destination = :destination WHERE number = :inspection AND state = 'open'""",
    "interrupted": """UPDATE inspections SET state = 'judged', interrupted_at = :at, verdict = 'review',
        reason = :reason, detail = :detail, destination = :destination
        WHERE number = :inspection AND state IN ('open', 'judged')""",
    "sorted": """UPDATE inspections SET state = 'sorted', sorted_at = :at, confirmed_bin = :confirmed
        WHERE number = :inspection AND state = 'judged'""",
    "lost": """UPDATE inspections SET state = 'lost', lost_at = :at, verdict = 'review', reason = :reason,
        detail = :detail WHERE number = :inspection AND state IN ('open', 'judged')""",
    "withdrawn": """UPDATE inspections SET state = 'withdrawn', withdrawn_at = :at, reason = :reason, detail = :detail
        WHERE number = :inspection AND state = 'open'""",
}
TELLING = "INSERT INTO tellings (inspection) VALUES (:inspection)"
SETTLEMENT = "INSERT INTO settlements VALUES (:inspection, :plc_sent, :plc_acknowledged, :committed)"
UNFINISHED = """SELECT number, inspection_id, part_id, part_type, part_type_settings, part_sequence, type_code,
    entered_at FROM inspections WHERE state IN ('open', 'judged') ORDER BY number"""


def remember_configuration(connection: sqlite3.Connection, sha256: str, settings: str, at: datetime) -> None:
    """Keep an effective configuration, once."""
    connection.execute("INSERT OR IGNORE INTO configurations VALUES (?, ?, ?)", (sha256, settings, stamp(at)))


def enter(connection: sqlite3.Connection, part: Announcement, part_type: PartType, at: datetime) -> Inspection:
    """Open an inspection."""
    entered_at = moment(stamp(at))  # as it is read back
    inspection_id = _new_id(entered_at)
    row = {
        "inspection_id": inspection_id,
        "part_id": part.part_id,
        "part_type": part_type.name,
        "part_type_settings": json.dumps(asdict(part_type)),
        "part_sequence": part.sequence,
        "type_code": part.type_code,
        "at": stamp(entered_at),
    }
    number = connection.execute(ENTER, row).lastrowid
    return Inspection(inspection_id, int(number or 0), part, part_type, entered_at)


def unfinished(connection: sqlite3.Connection) -> list[Inspection]:
    """Inspections that are not closed, oldest first."""
    return [read_inspection(row) for row in connection.execute(UNFINISHED)]


def read_inspection(row: Sequence[Any]) -> Inspection:
    """An inspection from its row: number, id, part's id, type, the type's settings, sequence, code, when it began."""
    number, inspection_id, part_id, _type, kind, sequence, code, at = row
    return Inspection(inspection_id, number, Announcement(sequence, part_id, code), _part_type(kind), moment(at))


def interrupt(
    connection: sqlite3.Connection, inspection: Inspection, fault: Fault, detail: str, destination: str, at: datetime
) -> None:
    """Turn the verdict into REVIEW, for the place of such parts; the judgement stays as it was."""
    outcome = {"reason": fault.code, "detail": detail, "destination": destination}
    advance(connection, "interrupted", inspection, at, outcome)


def close_sorted(
    connection: sqlite3.Connection,
    inspection: Inspection,
    confirmed: Place,
    settled: SettleTimes | None,
    at: datetime,
) -> None:
    """Close an inspection with its place, and the times that came after its judgement, where they are known.

    That the line is to be told of it is written with it.
    """
    advance(connection, "sorted", inspection, at, {"confirmed": confirmed.name})
    connection.execute(TELLING, {"inspection": inspection.number})
    if settled is not None:
        connection.execute(SETTLEMENT, {"inspection": inspection.number, **settled.flat()})


def close_lost(connection: sqlite3.Connection, inspection: Inspection, fault: Fault, detail: str, at: datetime) -> None:
    """Close an inspection without a place; its verdict is REVIEW, its destination the one that was ordered, if any."""
    advance(connection, "lost", inspection, at, {"reason": fault.code, "detail": detail})


def close_withdrawn(
    connection: sqlite3.Connection, inspection: Inspection, fault: Fault, detail: str, at: datetime
) -> None:
    """Close an inspection whose part was taken back before it was loaded: without a verdict, without a place."""
    advance(connection, "withdrawn", inspection, at, {"reason": fault.code, "detail": detail})


def note(connection: sqlite3.Connection, event: str, detail: str, at: datetime) -> None:
    """Write down an event."""
    connection.execute("INSERT INTO events (at, event, detail) VALUES (?, ?, ?)", (stamp(at), event, detail))


def intend_scan(connection: sqlite3.Connection, inspection: Inspection, file: str, left: int) -> None:
    """Write down that a scan is about to be archived, together with its judgement."""
    connection.execute("INSERT INTO scans VALUES (?, 'pending', ?, ?, NULL, '')", (inspection.number, file, left))


def scan_archived(connection: sqlite3.Connection, file: str, sha256: str) -> None:
    """Write down that a scan is on the disk."""
    connection.execute("UPDATE scans SET state = 'archived', sha256 = ? WHERE file = ?", (sha256, file))


def scan_failed(connection: sqlite3.Connection, file: str, detail: str, at: datetime) -> None:
    """Write down that a scan could not be archived, in its record and as an event."""
    connection.execute("UPDATE scans SET state = 'failed', detail = ? WHERE file = ?", (detail, file))
    note(connection, "scan_not_archived", f"{file}: {detail}", at)


def scans_pending(connection: sqlite3.Connection) -> list[str]:
    """Files of scans whose archiving was begun and not ended."""
    return [row[0] for row in connection.execute("SELECT file FROM scans WHERE state = 'pending'")]


def scans_archived(connection: sqlite3.Connection) -> int:
    """How many scans are on the disk."""
    return int(connection.execute("SELECT count(*) FROM scans WHERE state = 'archived'").fetchone()[0])


def scans_expired(connection: sqlite3.Connection, files: Iterable[str], at: datetime) -> None:
    """Write down that scans were removed; their hashes stay."""
    changes = [(f"removed {stamp(at)}", file) for file in files]
    connection.executemany("UPDATE scans SET state = 'expired', detail = ? WHERE file = ?", changes)


def advance(
    connection: sqlite3.Connection, becomes: str, inspection: Inspection, at: datetime, values: Mapping[str, object]
) -> None:
    """Take an inspection a step further, by one of `CHANGES` with its values."""
    row = {"inspection": number_of(connection, inspection), "at": stamp(at), **values}
    if connection.execute(CHANGES[becomes], row).rowcount != 1:
        (state,) = connection.execute("SELECT state FROM inspections WHERE number = :inspection", row).fetchone()
        raise BugError("station.bug", f"inspection {inspection.inspection_id} is {state}, it cannot become {becomes}")


def number_of(connection: sqlite3.Connection, inspection: Inspection) -> int:
    """The number of an inspection that was entered."""
    question = "SELECT number FROM inspections WHERE inspection_id = ?"
    row = connection.execute(question, (inspection.inspection_id,)).fetchone()
    if row is None:
        raise BugError("station.bug", f"inspection {inspection.inspection_id} was never entered")
    return int(row[0])


def _part_type(stored: str) -> PartType:
    """The part type as it was configured when the part was taken on."""
    return PartType.of(json.loads(stored), default_geometry().value())


def _new_id(entered_at: datetime) -> str:
    """The moment to the millisecond, then 35 random bits: sorts as time does, 26 characters."""
    second, milliseconds = f"{entered_at:%Y%m%dT%H%M%S}", entered_at.microsecond // 1000
    return f"{second}{milliseconds:03}-" + "".join(secrets.choice(ID_LETTERS) for _ in range(ID_RANDOM_LETTERS))
