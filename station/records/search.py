"""Searches among all inspections: any conditions together, a page at a time, the newest first.

Every condition has its postings, the numbers of the inspections that fulfil it, which an index holds in order. All hold
at most between the latest of their beginnings and the earliest of their ends. There the shortest is gone through from
its end, and each of its numbers is looked up in the others; the inspections themselves are read for the page alone. A
page goes on below the last number of the one before, so that the last page costs what the first does, and what comes in
meanwhile moves nothing. Between which numbers a time lies is kept from search to search (`station.records.spans`).
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from station.core.sought import FoundPage, Sought
from station.records.query import END
from station.records.reading import reading
from station.records.rows import listed
from station.records.spans import Spans

COUNTED = 20_000
"""So far postings are counted, to find the shortest."""
FIRST, LAST = "", "~"
"""Before and after every moment."""
NEVER = 2**62
"""A number that no inspection ever has."""
TELLING = len("20260501T060000")
"""So much of an inspection's id, its second, tells few enough of them apart."""

POSTINGS = {
    "part": """SELECT number FROM inspections WHERE part_id = :part
        UNION SELECT number FROM inspections WHERE inspection_id >= :begin AND inspection_id < :end""",
    "inspections": """SELECT DISTINCT number FROM json_each(:inspections)
        CROSS JOIN inspections ON inspection_id = value""",
    "reason": "SELECT number FROM inspections INDEXED BY inspections_reason WHERE reason = :reason",
    "defect": """SELECT d.inspection AS number FROM defects d INDEXED BY defects_class WHERE d.class = :defect
        AND d.rank = (SELECT min(e.rank) FROM defects e INDEXED BY defects_class
            WHERE e.class = :defect AND e.inspection = d.inspection)""",
    "verdict": "SELECT number FROM inspections INDEXED BY inspections_verdict WHERE verdict = :verdict",
    "part_type": "SELECT number FROM inspections INDEXED BY inspections_type WHERE part_type = :part_type",
    "model": "SELECT inspection AS number FROM judgements INDEXED BY judgements_model WHERE model = :model",
}
"""The numbers that fulfil each condition, by its name in `Sought`."""
EVERYTHING = "SELECT number FROM inspections"
IN_TIME = """(SELECT entered_at >= :since AND entered_at < :until
    FROM inspections WHERE number = found.number)"""

Values = dict[str, str | int | None]


def search(folder: Path, sought: Sought, before: int | None, limit: int, spans: Spans | None = None) -> FoundPage:
    """A page of the inspections that are sought, the newest first.

    Args:
        folder: The data folder.
        sought: What is asked.
        before: `FoundPage.before` of the page before; None for the first.
        limit: So many at most.
        spans: What is kept of this folder from search to search; None where nothing is.

    Raises:
        RecordError: No database, or it cannot be read.
    """
    values: Values = {**_values(sought), "limit": limit + 1}
    asked = [name for name in POSTINGS if values[name] is not None]
    with reading(folder) as connection:
        oldest, newest = _common(connection, asked, values, spans or Spans())
        values |= {"oldest": oldest, "below": newest + 1 if before is None else min(before, newest + 1)}
        leading = _shortest(connection, asked, values)
        rows = connection.execute(_question(asked, leading, dated=_is_dated(values)), values).fetchall()
    more = len(rows) > limit
    return FoundPage(tuple(map(listed, rows[:limit])), rows[limit - 1]["number"] if more else None)


def _values(sought: Sought) -> Values:
    begin = sought.part.upper() if sought.part and len(sought.part) >= TELLING else END
    return {
        "since": sought.since or FIRST, "until": sought.until or LAST, "verdict": sought.verdict,
        "part_type": sought.part_type, "reason": sought.reason, "defect": sought.defect, "model": sought.model,
        "part": sought.part, "begin": begin, "end": f"{begin}{END}",
        "inspections": None if sought.inspections is None else json.dumps(sought.inspections),
    }  # fmt: skip


def _is_dated(values: Values) -> bool:
    return (values["since"], values["until"]) != (FIRST, LAST)


def _common(connection: sqlite3.Connection, asked: list[str], values: Values, spans: Spans) -> tuple[int, int]:
    """The lowest and the highest number that may fulfil all conditions; none do where they are the wrong way round."""
    ends = list(_ends(connection, asked, values))
    if _is_dated(values):
        ends.append(spans.between(connection, str(values["since"]), str(values["until"])) or (None, None))
    oldest = [first for first, _last in ends if first is not None]
    newest = [last for _first, last in ends if last is not None]
    if len(oldest) < len(ends):
        return NEVER, 0
    return max(oldest, default=0), min(newest, default=NEVER)


def _ends(connection: sqlite3.Connection, asked: list[str], values: Values) -> Iterator[tuple[int | None, int | None]]:
    """Of each condition the lowest and the highest number."""
    for name in asked:
        ways = (f"(SELECT number FROM ({POSTINGS[name]}) ORDER BY number {way} LIMIT 1)" for way in ("ASC", "DESC"))  # noqa: S608
        oldest, newest = connection.execute(f"SELECT {', '.join(ways)}", values).fetchone()
        yield oldest, newest


def _shortest(connection: sqlite3.Connection, asked: list[str], values: Values) -> str | None:
    """The condition with the fewest numbers where all may hold, as far as they are counted; None without any."""
    if len(asked) < 2:
        return asked[0] if asked else None

    def count(name: str) -> int:
        between = f"SELECT 1 FROM ({POSTINGS[name]}) WHERE number >= :oldest AND number < :below LIMIT {COUNTED}"  # noqa: S608
        return int(connection.execute(f"SELECT count(*) FROM ({between})", values).fetchone()[0])  # noqa: S608

    return min(asked, key=count)


def _question(asked: list[str], leading: str | None, *, dated: bool) -> str:
    """The question for the page; its values are constants of this module and parameters."""
    looked_up = (POSTINGS[name] for name in asked if name != leading)
    others = [f"EXISTS (SELECT 1 FROM ({numbers}) WHERE number = found.number)" for numbers in looked_up]  # noqa: S608
    hold = " AND ".join(["found.number >= :oldest", "found.number < :below", *others, *([IN_TIME] if dated else [])])
    lead = POSTINGS[leading] if leading else EVERYTHING
    numbers = f"SELECT number FROM ({lead}) found WHERE {hold} ORDER BY number DESC LIMIT :limit"  # noqa: S608
    return f"""SELECT i.number, i.inspection_id, i.entered_at, i.part_id, i.part_type, i.verdict, i.reason,
        i.confirmed_bin, j.confidence FROM ({numbers}) page CROSS JOIN inspections i ON i.number = page.number
        LEFT JOIN judgements j ON j.inspection = i.number ORDER BY i.number DESC"""  # noqa: S608
