"""Every named fault of the simulated cell strikes a part of the running station, one after the other.

After each: the station has shown the fault's code and reacted as its table says, the PLC has read the code in its own
registers, the struck part is recorded once and was not passed unjudged, and the cell has gone on without a restart.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sim.faults import NAMED_FAULTS, NamedFault
from sim.flaws import FLAWS
from station.cell.packml import State
from station.core.errors import FAULTS, Reaction
from tests.cell import plc_words as plc
from tests.cell.fault_bench import OF_THE_CELL, FaultBench, Seen, fault_bench
from tests.cell.reason_codes import REASON_CODE

pytestmark = pytest.mark.asyncio(loop_scope="module")

DECISIONS = {"defect_free": 1, "imprinted": 2, "pits": 3, "roll_marks": 4, "scratches": 5, "review": 6}
PLACES = {
    "second_inspection": 1, "bin_imprinted": 2, "bin_pits": 3, "bin_roll_marks": 4, "bin_scratches": 5,
    "bin_review": 6,
}  # fmt: skip
"""Codes on the PLC, as the map's document prints them."""

LEAVING_BY_ITSELF = {REASON_CODE[code] for code, fault in FAULTS.items() if fault.reaction is Reaction.SUSPEND}
SEEN_AGAIN = {*FLAWS, "part-slips"}
"""Faults that lie with the part: the second look sees them, too."""
RESTS_IN = {Reaction.HOLD: State.HELD, Reaction.SUSPEND: State.SUSPENDED, Reaction.ABORT: State.ABORTED}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FaultBench]:
    async with fault_bench(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.mark.parametrize("fault", OF_THE_CELL, ids=lambda fault: fault.name)
async def test_the_station_shows_the_fault_reacts_and_goes_on(bench: FaultBench, fault: NamedFault) -> None:
    seen, part_id = await bench.strike(fault)
    reaction = FAULTS[fault.code].reaction if fault.code else None
    record = bench.record_of(part_id)
    assert record is not None
    verdict, confirmed = record
    ended = verdict if confirmed else "lost"
    told = f"{seen.codes}, {seen.states}, {part_id} {ended}"

    assert fault.code is None or fault.code in seen.codes, told
    if reaction in RESTS_IN:
        assert RESTS_IN[reaction].name in seen.states, told
    elif reaction is None:
        assert not {State.HELD.name, State.ABORTED.name} & set(seen.states), told

    read_by_the_plc(fault, reaction, seen, told)
    label = bench.label_of(part_id)
    if reaction is Reaction.REVIEW or fault.name in SEEN_AGAIN:
        assert ended in {"review", "lost"}, told
    elif reaction in (Reaction.HOLD, Reaction.ABORT):
        assert ended in {"review", "lost", label}, told
    else:
        assert ended == label, told
    assert bench.place_of(part_id) == (confirmed or "floor"), told


def read_by_the_plc(fault: NamedFault, reaction: Reaction | None, seen: Seen, told: str) -> None:
    """The reason code stands where the table's reaction puts it: beside the cell's state, or in the part's result."""
    stops = {reason for _state, reason in seen.reports} - {0}
    told = f"{told}; the PLC has read {seen.reports}, {seen.results}"
    if reaction in RESTS_IN:
        assert REASON_CODE[fault.code or ""] in stops, told
    elif reaction is Reaction.REVIEW or fault.name in SEEN_AGAIN:
        assert {(r.decision, r.reason) for r in seen.results} == {(plc.REVIEW, REASON_CODE[fault.code or ""])}, told
        assert stops <= LEAVING_BY_ITSELF, told
    else:
        assert {result.reason for result in seen.results} == {0}, told
        assert stops <= LEAVING_BY_ITSELF, told
    assert all(result.complement == 65535 - result.decision for result in seen.results), told


LOSING = ["plc-program-restarts", "plc-restarts-before-acknowledging", "plc-block-cleared", "plc-keeps-clearing"]


@pytest.mark.parametrize("name", LOSING)
async def test_a_plc_that_has_lost_the_stations_registers_has_them_again(bench: FaultBench, name: str) -> None:
    seen, part_id = await bench.strike(NAMED_FAULTS[name])
    constants = [1, 0xA55A, 0x47F1, 0x2000, 0x1234, 0x5678]
    await bench.until(lambda: (bench.cell.plc.read("holding", 0, 6), bench.cell.plc.state()) == (constants, "execute"))
    assert [result.confirmed for result in seen.results] == [0, PLACES[bench.place_of(part_id)]]


async def test_a_refused_command_has_its_code_in_the_plcs_registers(bench: FaultBench) -> None:
    _seen, part_id = await bench.strike(NAMED_FAULTS["plc-illegal-command"])
    assert (bench.words[plc.COMMAND_RESULT], bench.words[plc.COMMAND_REASON]) == (
        plc.REFUSED, REASON_CODE["plc.illegal_command"],
    )  # fmt: skip
    assert bench.label_of(part_id) is not None


async def test_part_after_part_that_cannot_be_judged_costs_each_its_part_and_never_the_cell(bench: FaultBench) -> None:
    reports = len(bench.words.reports)
    for part_id in await bench.strikes(NAMED_FAULTS["lamp-dark"], 6):
        assert {result.reason for result in bench.words.results_of(part_id)} == {REASON_CODE["part.too_dark"]}
    assert {reason for _state, reason in bench.words.reports[reports:]} <= {0}


async def test_both_ledgers_agree_and_nothing_unjudged_was_passed(bench: FaultBench) -> None:
    await bench.stop()
    rows = bench.taken_records()
    records = {row["part_id"]: row for row in rows}
    assert len(records) == len(rows), "every part has one record"
    assert set(records) == bench.taken_on(), "every part that left the infeed has a record"
    for part_id, row in records.items():
        place = bench.place_of(part_id)
        assert row["state"] in {"sorted", "lost"}, part_id
        assert place == (row["confirmed_bin"] or "floor"), part_id
        if row["confirmed_bin"]:
            last = bench.words.results_of(part_id)[-1]
            assert (last.decision, last.confirmed) == (DECISIONS[row["verdict"]], PLACES[place]), part_id
        if place == "second_inspection":
            assert (bench.label_of(part_id), row["verdict"]) == ("defect_free", "defect_free"), part_id
