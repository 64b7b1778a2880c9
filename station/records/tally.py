"""Counts the records for those who watch: what was closed since the last look is added, so that each look is short.

The first look counts everything that there is, so that a count never falls when what counts is started anew. It does so
only where other records lie than before, as after a restore.
"""

import copy
import sqlite3
from collections import Counter
from pathlib import Path
from threading import Lock
from typing import Any

from station.core.tally import BUCKETS_MS, Counts, Key
from station.records.reading import reading
from station.records.rows import TRIED

MOST_SERIES = 500
"""So many different keys has a count; what comes first after them is counted together."""
OTHER = "other"

NOW_CLOSED = "i.number > :last AND i.number <= :now"
JUDGED = f"FROM inspections i JOIN judgements j ON j.inspection = i.number WHERE {NOW_CLOSED}"
MADE = f"""FROM inspections i LEFT JOIN judgements j ON j.inspection = i.number
    WHERE {NOW_CLOSED} AND {TRIED} IS NULL"""
CLOSED = """SELECT coalesce(
    (SELECT min(number) - 1 FROM inspections WHERE state IN ('open', 'judged')), max(number), 0) FROM inspections"""
WHICH = "SELECT inspection_id FROM inspections WHERE number = ?"
COUNTED = {
    "parts": f"""SELECT i.part_type, ifnull(i.verdict, ''), i.state, count(*) {MADE}
        GROUP BY 1, 2, 3 ORDER BY min(i.number)""",  # constants of this module
    "classes": f"""SELECT i.part_type, ifnull(j.algorithm1, ''), count(*) {JUDGED} AND {TRIED} IS NULL
        GROUP BY 1, 2 ORDER BY min(i.number)""",  # as above
    "reviews": f"""SELECT i.part_type, ifnull(i.reason, ''), count(*) {MADE} AND i.verdict = 'review'
        GROUP BY 1, 2 ORDER BY min(i.number)""",  # as above
    "tried": f"""SELECT i.part_type, {TRIED}, count(*) {JUDGED} AND {TRIED} IS NOT NULL
        GROUP BY 1, 2 ORDER BY min(i.number)""",  # as above
}  # fmt: skip
SUMS = f"""SELECT total(j.lines_expected), total(j.lines_delivered), total(j.blocks), total(j.discarded_blocks),
    count(j.ms_after_last_line), total(j.ms_after_last_line),
    {", ".join(f"count(*) FILTER (WHERE j.ms_after_last_line <= {end_ms})" for end_ms in BUCKETS_MS)} {JUDGED}"""
MODELS = f"""SELECT i.part_type, j.model, j.model_sha256 FROM inspections i JOIN judgements j ON j.inspection = i.number
    WHERE i.number IN (SELECT max(i.number) {JUDGED} GROUP BY i.part_type)"""  # noqa: S608  # constants of this module
LAST_EVENT = "SELECT ifnull(max(event_id), 0) FROM events"
STOPS = """SELECT detail FROM events WHERE event_id > ? AND event_id <= ? AND event = 'state_changed'
    AND detail GLOB 'EXECUTE *' ORDER BY event_id"""


class SqliteTally:
    """Counts the records of a data folder; changes nothing there.

    Args:
        folder: The data folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._begin_anew()

    def read(self) -> Counts:
        """The counts as they are now."""
        with self._lock, reading(self._folder) as connection:
            if not self._goes_on(connection):
                self._begin_anew()
            self._count_parts(connection)
            self._count_stops(connection)
            return copy.deepcopy(self._counts)

    def _begin_anew(self) -> None:
        self._counts = Counts()
        self._last, self._last_id, self._last_event = 0, "", 0

    def _goes_on(self, connection: sqlite3.Connection) -> bool:
        """Whether these are the records that were counted, and more."""
        row = connection.execute(WHICH, (self._last,)).fetchone()
        same = self._last == 0 or (row is not None and row[0] == self._last_id)
        return same and connection.execute(LAST_EVENT).fetchone()[0] >= self._last_event

    def _count_parts(self, connection: sqlite3.Connection) -> None:
        now = connection.execute(CLOSED).fetchone()[0]
        if now <= self._last:
            return
        which = {"last": self._last, "now": now}
        for name, question in COUNTED.items():
            for *key, count in connection.execute(question, which):
                _add(getattr(self._counts, name), tuple(key), count)
        self._sum(connection.execute(SUMS, which).fetchone())
        for part_type, model, sha256 in connection.execute(MODELS, which):
            self._counts.models[part_type] = (model, sha256)
        self._last, self._last_id = now, connection.execute(WHICH, (now,)).fetchone()[0]

    def _sum(self, row: tuple[Any, ...]) -> None:
        expected, delivered, blocks, discarded, decisions, milliseconds, *within = row
        counts = self._counts
        counts.lines.update({("expected",): round(expected), ("delivered",): round(delivered)})
        counts.blocks.update({("delivered",): round(blocks), ("discarded",): round(discarded)})
        counts.decisions += decisions
        counts.decisions_ms += milliseconds
        counts.within = [before + more for before, more in zip(counts.within, within, strict=True)]

    def _count_stops(self, connection: sqlite3.Connection) -> None:
        now = connection.execute(LAST_EVENT).fetchone()[0]
        for (detail,) in connection.execute(STOPS, (self._last_event, now)):
            words = [*detail.split(" ", 3), "", ""]
            _add(self._counts.stops, (words[1], words[2]), 1)
        self._last_event = now


def _add(counter: Counter[Key], key: Key, count: int) -> None:
    """Count under this key, or together with all others where there are too many keys already."""
    known = key in counter or len(counter) < MOST_SERIES
    counter[key if known else (OTHER,) * len(key)] += count
