"""What is written, in SQL. Every function works inside the caller's transaction and leaves it to it to commit.

Raises:
    BugError: From every function that changes an inspection or an order: it is unknown, or does not stand where this
        change starts from.
"""

import json
import math
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import datetime, timedelta

import numpy as np

from station.core.errors import BugError, Fault
from station.core.judgement import Defect, Evidence
from station.core.moments import moment, stamp
from station.core.part import Announcement, Device, Inspection, Order, PartType, Receipt
from station.core.timeline import SettleTimes
from station.records.naming import place_name, verdict_name

LAST_ORDER_NUMBER = 0xFFFF
ID_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # without I, L, O and U, which are misread
ID_RANDOM_LETTERS = 7

ENTER = """INSERT INTO inspections
    (inspection_id, part_id, part_type, part_type_settings, part_sequence, type_code, state, entered_at, detail)
    VALUES (:inspection_id, :part_id, :part_type, :part_type_settings, :part_sequence, :type_code, 'open', :at, '')"""
ORDER = """INSERT INTO orders (device, number, verb, argument, inspection, issued_at, issued_ns)
    VALUES (:device, :number, :verb, :argument, :inspection, :at, :ns)"""
RECEIPT = """UPDATE orders SET acknowledged_at = :acknowledged_at, acknowledged_ns = :acknowledged_ns,
    done_at = :done_at, done_ns = :done_ns, confirmed = :confirmed, confirmed_place = :place,
    result = 'done'
    WHERE result IS NULL
    AND order_id = (SELECT max(order_id) FROM orders WHERE device = :device AND number = :number)"""
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
JUDGEMENT = """INSERT INTO judgements VALUES (:inspection, :algorithm1, :verdict, :reason, :detail, :confidence,
    :deciding_patch, :defect_patches, :probabilities, :lines_expected, :lines_delivered, :blocks, :frame_ids,
    :discarded_blocks, :scan_fault, :scan_detail, :roi_left, :roi_right, :features, :model, :model_sha256,
    :config_sha256, :times_ns, :ms_after_last_line, :classes, :recipe, :recipe_sha256, :rule, :defects)"""
DEFECT = """INSERT INTO defects VALUES (:inspection, :rank, :surface, :patch, :confidence, :angle_deg, :axial_mm,
    :along_mm, :across_mm)"""
SETTLEMENT = "INSERT INTO settlements VALUES (:inspection, :plc_sent, :plc_acknowledged, :committed)"
MEASURED = ("angle_deg", "axial_mm", "along_mm", "across_mm")
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
    return [
        Inspection(inspection_id, number, Announcement(sequence, part_id, code), _part_type(kind), moment(at))
        for number, inspection_id, part_id, _type, kind, sequence, code, at in connection.execute(UNFINISHED)
    ]


def give_order(
    connection: sqlite3.Connection,
    device: Device,
    verb: str,
    argument: int,
    inspection: Inspection | None,
    at: datetime,
    ns: int,
) -> Order:
    """Take the device's next order number and write the intent."""
    number = _last_number(connection, device) % LAST_ORDER_NUMBER + 1
    _set_last_number(connection, device, number)
    row = {
        "device": device,
        "number": number,
        "verb": verb,
        "argument": argument,
        "inspection": inspection and _number(connection, inspection),
        "at": stamp(at),
        "ns": ns,
    }
    connection.execute(ORDER, row)
    return Order(device, number, verb, argument)


def adopt_order_number(connection: sqlite3.Connection, device: Device, last: int) -> None:
    """Go on after the device's last number, unless the own last one lies ahead of it, less than half way round."""
    own = _last_number(connection, device)
    ahead = (own - last) % LAST_ORDER_NUMBER
    if last and (own == 0 or ahead > LAST_ORDER_NUMBER // 2):
        _set_last_number(connection, device, last)


def end_order(connection: sqlite3.Connection, receipt: Receipt, place: str | None, at: datetime, ns: int) -> None:
    """Write how an order ended; `at` and `ns` are the same moment on both clocks.

    `place` is the name of the place that was confirmed, None where the order has none or no place has that code.
    """
    order = receipt.order
    row = {
        "device": order.device,
        "number": order.number,
        "confirmed": receipt.confirmed,
        "place": place,
        "acknowledged_ns": receipt.acknowledged_ns,
        "acknowledged_at": _at(receipt.acknowledged_ns, at, ns),
        "done_ns": receipt.done_ns,
        "done_at": _at(receipt.done_ns, at, ns),
    }
    if connection.execute(RECEIPT, row).rowcount != 1:
        raise BugError("station.bug", f"receipt of {order.device} order {order.number}, which is not waiting for one")


def judge(connection: sqlite3.Connection, inspection: Inspection, evidence: Evidence, at: datetime) -> None:
    """Write the decision and what it rests on.

    Raises:
        BugError: Also when the scores are not as wide as there are names for them: nobody could read them again.
    """
    decision = evidence.decision
    _require_names(evidence)
    outcome = {
        "verdict": verdict_name(decision.verdict),
        "reason": decision.fault and decision.fault.code,
        "detail": decision.detail,
        "destination": place_name(decision.destination),
    }
    _advance(connection, "judged", inspection, at, outcome)
    row = {"inspection": inspection.number, **outcome, **_grounds(evidence), **_account(evidence)}
    connection.execute(JUDGEMENT, row)
    for rank, defect in enumerate(evidence.defects, 1):
        connection.execute(DEFECT, {"inspection": inspection.number, "rank": rank, **_found(defect)})


def interrupt(
    connection: sqlite3.Connection, inspection: Inspection, fault: Fault, detail: str, destination: str, at: datetime
) -> None:
    """Turn the verdict into REVIEW, for the place of such parts; the judgement stays as it was."""
    outcome = {"reason": fault.code, "detail": detail, "destination": destination}
    _advance(connection, "interrupted", inspection, at, outcome)


def close_sorted(
    connection: sqlite3.Connection,
    inspection: Inspection,
    confirmed: Place,
    settled: SettleTimes | None,
    at: datetime,
) -> None:
    """Close an inspection with its place, and the times that came after its judgement, where they are known."""
    _advance(connection, "sorted", inspection, at, {"confirmed": place_name(confirmed)})
    if settled is not None:
        connection.execute(SETTLEMENT, {"inspection": inspection.number, **settled.flat()})


def close_lost(connection: sqlite3.Connection, inspection: Inspection, fault: Fault, detail: str, at: datetime) -> None:
    """Close an inspection without a place; its verdict is REVIEW, its destination the one that was ordered, if any."""
    _advance(connection, "lost", inspection, at, {"reason": fault.code, "detail": detail})


def close_withdrawn(
    connection: sqlite3.Connection, inspection: Inspection, fault: Fault, detail: str, at: datetime
) -> None:
    """Close an inspection whose part was taken back before it was loaded: without a verdict, without a place."""
    _advance(connection, "withdrawn", inspection, at, {"reason": fault.code, "detail": detail})


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


def _advance(
    connection: sqlite3.Connection, becomes: str, inspection: Inspection, at: datetime, values: Mapping[str, object]
) -> None:
    row = {"inspection": _number(connection, inspection), "at": stamp(at), **values}
    if connection.execute(CHANGES[becomes], row).rowcount != 1:
        (state,) = connection.execute("SELECT state FROM inspections WHERE number = :inspection", row).fetchone()
        raise BugError("station.bug", f"inspection {inspection.inspection_id} is {state}, it cannot become {becomes}")


def _number(connection: sqlite3.Connection, inspection: Inspection) -> int:
    question = "SELECT number FROM inspections WHERE inspection_id = ?"
    row = connection.execute(question, (inspection.inspection_id,)).fetchone()
    if row is None:
        raise BugError("station.bug", f"inspection {inspection.inspection_id} was never entered")
    return int(row[0])


def _grounds(evidence: Evidence) -> dict[str, object]:
    decision, roi = evidence.decision, evidence.roi
    return {
        "algorithm1": decision.algorithm1 and verdict_name(decision.algorithm1),
        "confidence": float(decision.confidence),
        "deciding_patch": decision.deciding_patch,
        "defect_patches": int(decision.defect_patches),
        "probabilities": np.ascontiguousarray(decision.probabilities, "<f4").tobytes(),
        "roi_left": roi and int(roi.left),
        "roi_right": roi and int(roi.right),
        "features": json.dumps({name: _plain(value) for name, value in evidence.features.items()}),
        "model": evidence.model.name,
        "model_sha256": evidence.model.sha256,
        "config_sha256": evidence.config_sha256,
        "times_ns": json.dumps(evidence.times.flat()),
        "ms_after_last_line": evidence.ms_after_last_line,
        "classes": json.dumps(evidence.classes),
        "recipe": evidence.recipe,
        "recipe_sha256": evidence.recipe_sha256,
        "rule": evidence.rule,
        "defects": len(evidence.defects),
    }


def _require_names(evidence: Evidence) -> None:
    probabilities, classes = evidence.decision.probabilities, evidence.classes
    if probabilities.size and probabilities.shape[1:] != (len(classes),):
        shape = " by ".join(map(str, probabilities.shape))
        raise BugError("station.bug", f"{shape} scores with the names of {len(classes)} classes")


def _found(defect: Defect) -> dict[str, object]:
    sizes = {name: getattr(defect, name) for name in MEASURED}
    return {
        "surface": defect.surface,
        "patch": int(defect.patch),
        "confidence": float(defect.confidence),
        **{name: None if value is None else float(value) for name, value in sizes.items()},
    }


def _part_type(stored: str) -> PartType:
    """The part type as it was configured when the part was taken on."""
    settings = json.loads(stored)
    return PartType(**{field.name: settings[field.name] for field in fields(PartType)})


def _account(evidence: Evidence) -> dict[str, object]:
    account = evidence.account
    return {
        "lines_expected": account.expected_lines,
        "lines_delivered": account.delivered_lines,
        "blocks": account.blocks,
        "frame_ids": json.dumps(account.frame_ids),
        "discarded_blocks": account.discarded_blocks,
        "scan_fault": account.fault and account.fault.code,
        "scan_detail": account.detail,
    }


def _plain(value: str | float) -> str | float:
    """The value as JSON has it, which knows no infinity and no NaN."""
    return value if not isinstance(value, float) or math.isfinite(value) else str(value)


def _at(event_ns: int, now: datetime, now_ns: int) -> str:
    return stamp(now - timedelta(microseconds=(now_ns - event_ns) / 1000))


def _last_number(connection: sqlite3.Connection, device: Device) -> int:
    return int(connection.execute("SELECT last FROM order_numbers WHERE device = ?", (device,)).fetchone()[0])


def _set_last_number(connection: sqlite3.Connection, device: Device, number: int) -> None:
    connection.execute("UPDATE order_numbers SET last = ? WHERE device = ?", (number, device))


def _new_id(entered_at: datetime) -> str:
    """The moment to the millisecond, then 35 random bits: sorts as time does, 26 characters."""
    second, milliseconds = f"{entered_at:%Y%m%dT%H%M%S}", entered_at.microsecond // 1000
    return f"{second}{milliseconds:03}-" + "".join(secrets.choice(ID_LETTERS) for _ in range(ID_RANDOM_LETTERS))
