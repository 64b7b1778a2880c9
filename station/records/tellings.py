"""Which parts lie in their places without the line having acknowledged that, in SQL.

Every function works inside the caller's transaction and leaves it to it to commit.
"""

import sqlite3
from datetime import datetime

from station.core.judgement import Published
from station.core.moments import stamp
from station.core.part import Inspection
from station.core.verdicts import Classes
from station.records.journal import journal
from station.records.store import read_inspection

OPEN = "told_at IS NULL AND given_up_at IS NULL"
TOLD = f"""UPDATE tellings SET told_at = ?
    WHERE inspection = (SELECT number FROM inspections WHERE inspection_id = ?) AND {OPEN}"""  # noqa: S608  # its own words
UNTOLD = f"""SELECT number, inspection_id, part_id, part_type, part_type_settings, part_sequence, type_code,
    entered_at, confirmed_bin FROM inspections JOIN tellings ON inspection = number WHERE {OPEN} ORDER BY number"""  # noqa: S608  # its own words


def tell(connection: sqlite3.Connection, inspection: Inspection, at: datetime) -> None:
    """The line has acknowledged where this part lies; harmless where that is written."""
    connection.execute(TOLD, (stamp(at), inspection.inspection_id))


def give_up(connection: sqlite3.Connection, at: datetime) -> int:
    """The line is told of none of them any more; how many that were."""
    return connection.execute(f"UPDATE tellings SET given_up_at = ? WHERE {OPEN}", (stamp(at),)).rowcount  # noqa: S608  # its own words


def untold(connection: sqlite3.Connection, table: Classes) -> list[Published]:
    """What the line has not acknowledged, oldest first; of a place that the table does not have it cannot be told."""
    places = {place.name: place for place in table.places}
    found = []
    for *row, place in connection.execute(UNTOLD).fetchall():
        inspection = read_inspection(row)
        known = journal(connection, inspection, table)
        if known.decision is not None and place in places:
            found.append(Published(inspection, known.decision, known.ms_after_last_line, places[place]))
    return found
