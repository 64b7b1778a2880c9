"""Every named fault of the simulated cell strikes a part of the running station, one after the other.

After each: the station has shown the fault's code and reacted as its table says, the struck part is recorded once and
was not passed unjudged, and the cell has gone on without a restart.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sim.faults import NAMED_FAULTS, NamedFault
from station.core.errors import FAULTS, Reaction
from station.packml import State
from tests.cell.fault_bench import FaultBench, fault_bench

pytestmark = pytest.mark.asyncio(loop_scope="module")

RESTS_IN = {Reaction.HOLD: State.HELD, Reaction.SUSPEND: State.SUSPENDED, Reaction.ABORT: State.ABORTED}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FaultBench]:
    async with fault_bench(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.mark.parametrize("fault", NAMED_FAULTS.values(), ids=NAMED_FAULTS)
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

    label = bench.label_of(part_id)
    if reaction is Reaction.REVIEW:
        assert ended in {"review", "lost"}, told
    elif reaction in (Reaction.HOLD, Reaction.ABORT):
        assert ended in {"review", "lost", label}, told
    else:
        assert ended == label, told
    assert bench.place_of(part_id) == (confirmed or "floor"), told


async def test_both_ledgers_agree_and_nothing_unjudged_was_passed(bench: FaultBench) -> None:
    await bench.stop()
    rows = bench.records()
    records = {row["part_id"]: row for row in rows}
    assert len(records) == len(rows), "every part has one record"
    assert set(records) == bench.taken_on(), "every part that left the infeed has a record"
    for part_id, row in records.items():
        place = bench.place_of(part_id)
        assert row["state"] in {"sorted", "lost"}, part_id
        assert place == (row["confirmed_bin"] or "floor"), part_id
        if place == "second_inspection":
            assert (bench.label_of(part_id), row["verdict"]) == ("defect_free", "defect_free"), part_id
