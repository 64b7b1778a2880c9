"""What is recorded of many cells, from the plant's database: searches, alarms, and the time of shifts.

What has not ended, and what the replication has not told yet, is not here: the cell's own records have it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from station.core.moments import moment, stamp
from station.core.period import Group, Period, StateChange, linked
from station.core.records import JsonObject, ListedRecord
from station.core.sought import Sought
from station.labels.label import Label
from station.labels.rows import COLUMNS, label_of
from station.plant.central.connection import one
from station.plant.central.version_1 import SCHEMA

TELLING = len("20260501T060000")
"""So much of an inspection's id, its second, tells few enough of them apart."""
NOTHING_HIGHER = "\U0010ffff"

OF_THE_PART = "o.cell = i.cell AND o.inspection_id = i.inspection_id AND o.entered_at = i.entered_at"
CONDITIONS = {
    "cells": "i.cell = ANY(%(cells)s)",
    "since": "i.entered_at >= %(since)s",
    "until": "i.entered_at < %(until)s",
    "verdict": "i.verdict = %(verdict)s",
    "part_type": "i.part_type = %(part_type)s",
    "reason": "i.reason = %(reason)s",
    "defect": f"EXISTS (SELECT 1 FROM {SCHEMA}.defects o WHERE {OF_THE_PART} AND o.class = %(defect)s)",  # noqa: S608
    "model": f"EXISTS (SELECT 1 FROM {SCHEMA}.decisions o WHERE {OF_THE_PART} AND o.model = %(model)s)",  # noqa: S608
    "part": """(i.part_id = %(part)s OR %(begin)s::text IS NOT NULL
        AND i.inspection_id COLLATE "C" >= %(begin)s AND i.inspection_id COLLATE "C" < %(end)s)""",
    "inspections": "i.inspection_id = ANY(%(inspections)s)",
    "before": "(i.entered_at, i.cell, i.number) < (%(before_at)s, %(before_cell)s, %(before_number)s)",
}
"""Each condition by its name in `Sought`."""
FOUND = f"""SELECT i.cell, i.number, i.inspection_id, i.entered_at, i.part_id, i.part_type, i.verdict, i.confidence,
    i.reason, i.confirmed_bin FROM {SCHEMA}.inspections i WHERE {{hold}}
    ORDER BY i.entered_at DESC, i.cell DESC, i.number DESC LIMIT %(limit)s"""  # noqa: S608  # constants
CELLS = f"SELECT cell FROM {SCHEMA}.cells ORDER BY cell"  # noqa: S608  # constants
WITHIN_TIME = "cell = %(cell)s AND entered_at >= %(since)s AND entered_at < %(until)s"
GROUPS = f"""SELECT state, verdict, reason, part_type, count(*), tried FROM {SCHEMA}.inspections
    WHERE {WITHIN_TIME} GROUP BY state, verdict, reason, part_type, tried
    ORDER BY state, verdict, reason, part_type, tried"""  # noqa: S608  # constants
DEFECTS = f"""SELECT o.class, count(DISTINCT o.inspection_id) FROM {SCHEMA}.defects o
    WHERE o.{WITHIN_TIME.replace(" AND ", " AND o.")} AND EXISTS (SELECT 1 FROM {SCHEMA}.inspections i
        WHERE {OF_THE_PART} AND i.tried IS NULL)
    GROUP BY o.class ORDER BY o.class"""  # noqa: S608  # constants
CHANGED = f"""SELECT event_id, at, detail FROM {SCHEMA}.journal
    WHERE cell = %(cell)s AND event = 'state_changed'"""  # noqa: S608  # constants
BEFORE = f"{CHANGED} AND at < %(since)s ORDER BY at DESC, event_id DESC LIMIT 1"
WITHIN = f"{CHANGED} AND at >= %(since)s AND at < %(until)s ORDER BY at, event_id"
AFTER = f"{CHANGED} AND at >= %(until)s ORDER BY at, event_id LIMIT 1"
LEFT = f"{CHANGED} AND at < %(since)s AND detail LIKE 'EXECUTE %%' ORDER BY at DESC, event_id DESC LIMIT 1"
EVENT_BEFORE = f"""SELECT max(at) FROM {SCHEMA}.journal WHERE cell = %(cell)s
    AND (at, event_id) < (%(at)s, %(event)s)"""  # noqa: S608  # constants
PART_BEFORE = f"""SELECT greatest(entered_at, CASE WHEN state <> 'withdrawn' THEN closed_at END)
    FROM {SCHEMA}.inspections WHERE cell = %(cell)s AND entered_at < %(at)s
    ORDER BY entered_at DESC LIMIT 1"""  # noqa: S608  # constants
LABELS_OF = f"""SELECT {COLUMNS} FROM {SCHEMA}.labels
    WHERE cell = %(cell)s AND subject = 'inspection' AND subject_id IN (
        SELECT inspection_id FROM {SCHEMA}.inspections WHERE {WITHIN_TIME})
    ORDER BY at, digest"""  # noqa: S608  # constants
SAYING = f"""SELECT {COLUMNS} FROM {SCHEMA}.labels WHERE subject = 'inspection' AND subject_id IN (
        SELECT subject_id FROM {SCHEMA}.labels WHERE subject = 'inspection' AND class = %s)
    ORDER BY at, digest"""  # noqa: S608  # constants
ALARMS = f"""SELECT cell, alarm_id AS number, code, detail, latched, count, raised_at, last_at, cleared_at,
    acknowledged_at, acknowledged_by FROM {SCHEMA}.alarms
    WHERE (%(cells)s::text[] IS NULL OR cell = ANY(%(cells)s)) AND {{condition}}
    ORDER BY raised_at DESC, cell, alarm_id DESC LIMIT %(limit)s"""  # noqa: S608  # constants
STANDING = "(cleared_at IS NULL OR acknowledged_at IS NULL)"
LAST_EVENT, LAST = 2**62, "infinity"
AT = 8
"""Where a label's time stands in its row."""


@dataclass(frozen=True, slots=True)
class Across:
    """Some of what was found in many cells.

    Attributes:
        rows: Each with its cell, the newest first.
        before: What the next page is asked with; None after the last one.
    """

    rows: tuple[tuple[str, ListedRecord], ...]
    before: str | None


class CentralReader:
    """The records of many cells. Every method blocks.

    Args:
        connection: To a database of the newest version, in autocommit.

    Raises:
        psycopg.Error: From every method: the database cannot be asked.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def cells(self) -> list[str]:
        """The names of all cells that ever told anything."""
        return [str(row[0]) for row in self._connection.execute(CELLS)]

    def search(self, sought: Sought, cells: Sequence[str], before: str | None, limit: int) -> Across:
        """A page of the inspections that are sought, the newest first.

        Args:
            sought: The conditions.
            cells: Of these cells; of all where none is named.
            before: `Across.before` of the page before; None for the first.
            limit: 1 or more.

        Raises:
            ValueError: `before` is of no page.
        """
        values = {**_values(sought), "cells": list(cells) or None, **_before(before), "limit": limit + 1}
        hold = [text for name, text in CONDITIONS.items() if values[name] is not None]
        question = FOUND.format(hold=" AND ".join(hold) or "TRUE")
        with self._connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(question, values).fetchall()
        shown = [{**row, "entered_at": stamp(row["entered_at"])} for row in rows[:limit]]
        listed = tuple((str(row["cell"]), ListedRecord.of(row)) for row in shown)
        return Across(listed, _key(shown[-1]) if len(rows) > limit else None)

    def period(self, cell: str, since: str, until: str) -> Period:
        """What is recorded of a cell's time from one moment to before another."""
        asked = {"cell": cell, "since": since, "until": until}
        with self._connection.transaction():
            rows = [row for question in (BEFORE, WITHIN, AFTER) for row in self._ask(question, asked)]
            left = self._ask(LEFT, asked)
            return Period(
                groups=tuple(Group(*row) for row in self._ask(GROUPS, asked)),
                defects=tuple((name, count) for name, count in self._ask(DEFECTS, asked)),
                changes=tuple(
                    linked(
                        ((_change(row), row[0]) for row in rows),
                        lambda change, event: self._heard_before(cell, event, change.at),
                    )
                ),
                left=_change(left[0]) if left else None,
                heard=self._heard_before(cell, LAST_EVENT, LAST),
            )

    def labels_of(self, cell: str, since: str, until: str) -> list[Label]:
        """What people said of the parts of a cell that were entered from one moment to before another, by its time.

        Raises:
            LabelError: A row is no label.
        """
        return self._labels(LABELS_OF, {"cell": cell, "since": since, "until": until})

    def labels_saying(self, name: str) -> list[Label]:
        """Everything that people said of the parts that anybody ever said to be of this class, by its time.

        Raises:
            LabelError: A row is no label.
        """
        return self._labels(SAYING, (name,))

    def alarms(self, cells: Sequence[str], limit: int) -> list[tuple[str, JsonObject]]:
        """The alarms that are active, or over and not acknowledged, the newest first, each with its cell.

        Args:
            cells: Of these cells; of all where none is named.
            limit: 1 or more.
        """
        return self._alarms(STANDING, cells, limit)

    def alarm_history(self, cells: Sequence[str], limit: int) -> list[tuple[str, JsonObject]]:
        """The alarms that there ever were; else as `alarms`."""
        return self._alarms("TRUE", cells, limit)

    def _alarms(self, condition: str, cells: Sequence[str], limit: int) -> list[tuple[str, JsonObject]]:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            asked = {"cells": list(cells) or None, "limit": limit}
            rows = cursor.execute(ALARMS.format(condition=condition), asked).fetchall()
        return [(str(row.pop("cell")), {name: _told(value) for name, value in row.items()}) for row in rows]

    def _labels(self, question: str, asked: Any) -> list[Label]:
        return [label_of((*row[:AT], stamp(row[AT]), *row[AT + 1 :])) for row in self._ask(question, asked)]

    def _heard_before(self, cell: str, event: int, at: str) -> str | None:
        """When a cell wrote something last before an event: another one, or what became of the part before it."""
        asked = {"cell": cell, "event": event, "at": at}
        found: list[datetime | None] = [one(self._connection, text, asked) for text in (EVENT_BEFORE, PART_BEFORE)]
        return max((stamp(moment_) for moment_ in found if moment_ is not None), default=None)

    def _ask(self, question: str, values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(question, values).fetchall()


def _told(value: Any) -> Any:
    return stamp(value) if isinstance(value, datetime) else value


def _values(sought: Sought) -> dict[str, Any]:
    begin = sought.part.upper() if sought.part and len(sought.part) >= TELLING else None
    return {
        "since": sought.since, "until": sought.until, "verdict": sought.verdict, "part_type": sought.part_type,
        "reason": sought.reason, "defect": sought.defect, "model": sought.model, "part": sought.part, "begin": begin,
        "end": begin and f"{begin}{NOTHING_HIGHER}",
        "inspections": None if sought.inspections is None else list(sought.inspections),
    }  # fmt: skip


def _key(row: dict[str, Any]) -> str:
    return f"{row['entered_at']}/{row['number']}/{row['cell']}"


def _before(key: str | None) -> dict[str, Any]:
    if key is None:
        return {"before": None}
    at, number, cell = key.split("/", 2)
    return {"before": key, "before_at": stamp(moment(at)), "before_cell": cell, "before_number": int(number)}


def _change(row: tuple[Any, ...]) -> StateChange:
    return StateChange.of(stamp(row[1]), row[2])
