"""What was spent of budgets, in SQL."""

import sqlite3
from datetime import datetime

from station.core.cost import WINDOW
from station.core.moments import moment, stamp
from station.core.spent import Spent
from station.records.rows import TRIED

LOOKS = "SELECT at FROM events WHERE event = 'part_looked_at_again' AND at >= ? ORDER BY event_id"
TYPES = "SELECT DISTINCT part_type FROM inspections"
REVIEWS = f"""SELECT j.reason IS 'part.review_cheaper' FROM judgements j JOIN inspections i ON i.number = j.inspection
    WHERE i.part_type = ? AND {TRIED} IS NULL ORDER BY i.number DESC LIMIT {WINDOW - 1}"""  # noqa: S608  # constants


def spent(connection: sqlite3.Connection, since: datetime) -> Spent:
    """What was spent: of second looks since this moment, of reviews among the last parts of each type."""
    looks = tuple(moment(row[0]) for row in connection.execute(LOOKS, (stamp(since),)))
    types = [row[0] for row in connection.execute(TYPES)]
    rows = {name: connection.execute(REVIEWS, (name,)).fetchall() for name in types}
    return Spent(looks, {name: tuple(bool(row[0]) for row in reversed(found)) for name, found in rows.items() if found})
