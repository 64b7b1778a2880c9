"""A record, a label, an event, an alarm and a scan as rows of the plant's database."""

import hashlib
import json
from collections.abc import Iterable, Iterator

from station.core.ports.feed import KeptScan
from station.core.records import JsonObject
from station.labels.rows import Row

Values = tuple[object, ...]

INSPECTIONS = (
    "cell", "inspection_id", "entered_at", "number", "part_id", "part_type", "state", "verdict", "reason", "tried",
    "destination", "confirmed_bin", "confidence", "closed_at", "record", "digest",
)  # fmt: skip
DECISIONS = (
    "cell", "inspection_id", "entered_at", "algorithm1", "verdict", "reason", "confidence", "deciding_patch",
    "defect_patches", "rule", "recipe", "recipe_sha256", "model", "model_sha256", "config_sha256", "ms_after_last_line",
)  # fmt: skip
DEFECTS = (
    "cell", "inspection_id", "entered_at", "rank", "class", "patch", "confidence", "angle_deg", "axial_mm", "along_mm",
    "across_mm",
)  # fmt: skip
LABELS = (
    "cell", "digest", "subject", "subject_id", "file", "level", "region", "geometry", "class", "who", "at", "source",
    "note",
)  # fmt: skip
JOURNAL = ("cell", "event_id", "at", "event", "detail")
SCANS = ("cell", "inspection_id", "entered_at", "state", "sha256", "class", "bytes", "object", "left_column")
SCAN_STATE = SCANS.index("state")
LOST = ("missing", "altered")
"""States of scans that the archive should have had."""
ALARMS = (
    "cell", "alarm_id", "raised_at", "code", "detail", "latched", "count", "last_at", "cleared_at", "acknowledged_at",
    "acknowledged_by",
)  # fmt: skip

OF_THE_RECORD = INSPECTIONS[1:-3]
"""Columns that stand in the record by the same name."""
OF_THE_DECISION = tuple(name for name in DECISIONS[1:] if name not in {"verdict", "reason"})
OF_A_DEFECT = DEFECTS[4:]
ENDS = ("sorted_at", "lost_at", "withdrawn_at")
SAID = (0, 1, 3, 4, 5, 7, 8, 6)
"""Of a label's row what makes two labels one and the same: `station.labels.version_1.SAID`."""


def text_of(record: JsonObject) -> str:
    """A record as the plant's database keeps it: the same text for the same record, ASCII alone."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(text: str) -> str:
    """Of a record's text, in hexadecimal digits."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def inspection_row(cell: str, record: JsonObject) -> Values:
    """The row of `INSPECTIONS`."""
    text = text_of(record)
    closed = next(record[name] for name in ENDS if record[name] is not None)
    return (cell, *(_plain(record[name]) for name in OF_THE_RECORD), closed, text, digest_of(text))


def decision_row(cell: str, record: JsonObject) -> Values | None:
    """The row of `DECISIONS`; None of a part that was never judged."""
    if (judged := record["judgement"]) is None:
        return None
    told = {
        **{name: record[name] for name in OF_THE_DECISION},
        "verdict": judged["verdict"],
        "reason": judged["reason"],
    }
    return (cell, *(_plain(told[name]) for name in DECISIONS[1:]))


def defect_rows(cell: str, record: JsonObject) -> Iterator[Values]:
    """The rows of `DEFECTS`."""
    for rank, defect in enumerate(record["defects"] or (), 1):
        found = (_plain(defect[name]) for name in OF_A_DEFECT)
        yield (cell, record["inspection_id"], record["entered_at"], rank, *found)


def label_digest(row: Row) -> str:
    """What tells a label from every other, in hexadecimal digits."""
    return hashlib.sha256(json.dumps([row[place] for place in SAID]).encode("ascii")).hexdigest()


def label_row(cell: str, row: Row) -> Values:
    """The row of `LABELS`."""
    return (cell, label_digest(row), *map(_plain, row))


def event_row(cell: str, event: JsonObject) -> Values:
    """The row of `JOURNAL`."""
    return (cell, event["number"], event["at"], _plain(event["event"]), _plain(event["detail"]))


def alarm_row(cell: str, alarm: JsonObject) -> Values:
    """The row of `ALARMS`."""
    return (cell, alarm["number"], *(_plain(alarm[name]) for name in ALARMS[2:]))


def scan_row(cell: str, scan: KeptScan, state: str, size: int | None, key: str | None) -> Values:
    """The row of `SCANS`."""
    told = scan.told
    return (
        cell, told.inspection_id, told.entered_at, state, scan.sha256, scan.verdict, size, key, scan.left_column,
    )  # fmt: skip


def months_of(moments: Iterable[str]) -> set[str]:
    """The months of moments, each as its first day: `2026-05-01`."""
    return {f"{at[:7]}-01" for at in moments}


def _plain(value: object) -> object:
    """A value without what PostgreSQL's text cannot hold."""
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else value
