"""What a person sees of the cell: every id that a line PLC may announce, as it is."""

import io

import pytest
from rich.console import Console

from station.core.errors import FAULTS
from station.core.events import CellEvent, PartLost, PartWithdrawn
from station.core.part import Inspection
from station.core.reason import Reason
from station.view.live import CellView, parts_table
from station.view.report import PartRow
from tests.housings import TABLE
from tests.record_samples import PART_TYPE, START, part

NASTY = ("[/]", "[bold]A", "A[/b]", "\\[x]")
"""Ids of printable characters, which mean something to what writes on a terminal."""


@pytest.mark.parametrize("part_id", NASTY)
@pytest.mark.parametrize("kind", [PartLost, PartWithdrawn])
def test_a_part_that_is_not_sorted_is_told_by_its_id_whatever_that_is(
    kind: type[PartLost] | type[PartWithdrawn], part_id: str
) -> None:
    shown = io.StringIO()
    inspection = Inspection("0001", 1, part(part_id), PART_TYPE, START)
    event: CellEvent = kind(inspection, Reason(FAULTS["part.withdrawn"], f"announced is {part_id}"))
    with CellView(Console(file=shown, width=200), TABLE) as view:
        view.watch(event)
    assert part_id in shown.getvalue()
    assert f"announced is {part_id}" in shown.getvalue()


@pytest.mark.parametrize("part_id", NASTY)
def test_a_sorted_part_stands_in_the_table_by_its_id_whatever_that_is(part_id: str) -> None:
    shown = io.StringIO()
    verdict, place = TABLE.passing.name, TABLE.places[0].name
    row = PartRow(
        inspection_id="0001", part_id=part_id, part_type=PART_TYPE.name, label=part_id, algorithm1=None,
        verdict=verdict, reason=None, confidence=1.0, destination=place, confirmed_bin=place, scan_valid=True,
        defects=[], light=None, novelty=None, decision_ms_after_last_line=None, cycle_ms=1.0, model="",
    )  # fmt: skip
    Console(file=shown, width=200).print(parts_table([row], TABLE))
    assert shown.getvalue().count(part_id) == 2
