"""The shift of many cells: each by itself and all together, reckoned as the operator page reckons its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from station.core.calendar import Shift
from station.core.moments import stamp
from station.core.settings import Settings
from station.core.sought import Sought
from station.page.shift.reckoning import MOST_LABELLED, Recorded, Report, judged_by_people, labelled, reckon
from station.plant.central.reading import CentralReader


@dataclass(frozen=True, slots=True)
class PlantShift:
    """One shift of many cells.

    Attributes:
        cells: Each cell's report, by its name.
        together: Of all, as if they were one cell with so much more time.
    """

    cells: dict[str, Report]
    together: Report


def shift_of(
    reader: CentralReader, settings: Settings, cells: Sequence[str], shift: Shift, now: datetime
) -> PlantShift:
    """The report on a shift that has begun. Blocks.

    Nobody hears the cells here: of a shift that is not over, the time since a cell wrote anything last counts as of no
    state.

    Args:
        reader: The records of the cells.
        settings: Whose verdicts and shifts the plant goes by.
        cells: One or more.
        shift: Which.
        now: The date.

    Raises:
        psycopg.Error: The database cannot be asked.
        LabelError: A row is no label.
    """
    until, table, ideal_cycle_s = min(shift.end, now), settings.table, settings.page.ideal_cycle_s
    recorded = {cell: _recorded(reader, cell, shift.begin, until, table.passing.name) for cell in cells}
    return PlantShift(
        {cell: reckon(shift, until, [found], table, ideal_cycle_s) for cell, found in recorded.items()},
        reckon(shift, until, list(recorded.values()), table, ideal_cycle_s),
    )


def _recorded(reader: CentralReader, cell: str, since: datetime, until: datetime, passing: str) -> Recorded:
    labels = reader.labels_of(cell, stamp(since), stamp(until))
    sought = Sought(since=stamp(since), until=stamp(until), inspections=labelled(labels))
    rows = [row for _cell, row in reader.search(sought, [cell], None, MOST_LABELLED).rows]
    period = reader.period(cell, stamp(since), stamp(until))
    return Recorded(period, live=False, judged=judged_by_people(labels, rows, passing))
