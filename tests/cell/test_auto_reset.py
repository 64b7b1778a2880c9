"""The cell without an operator: it is reset at once, after a fault with a pause, and for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from station.cell.packml import State
from station.core.errors import ModelError
from station.core.watchers import Watchers
from station.host.service import AUTO_RESET_PAUSE_S, AutomaticReset
from station.host.simulate import SUSPENDED_FOR_GOOD_S, Simulation, SimulationOptions
from tests.cell.bench import Bench, running, settings
from tests.virtual_time import in_virtual_time

HOUR_S, LONG_S = 3600.0, 600.0
INFEED_S = 0.25


def now_s() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def operated() -> AsyncIterator[Bench]:
    async with running(commanders=[AutomaticReset()]) as bench:
        yield bench


@in_virtual_time
async def test_a_cell_that_nothing_is_wrong_with_runs_at_once() -> None:
    async with operated() as bench:
        began_s = now_s()
        await bench.desk.reached(State.EXECUTE)
        assert now_s() == began_s


@in_virtual_time
async def test_a_held_cell_goes_on_after_the_pause() -> None:
    async with operated() as bench:
        await bench.desk.reached(State.EXECUTE)
        bench.classifier.failure = ModelError("model.engine_failed", "planted")
        bench.feed("A1")
        await bench.desk.reached(State.HELD)
        began_s, bench.classifier.failure = now_s(), None
        await bench.desk.reached(State.UNHOLDING, State.EXECUTE)
        assert now_s() - began_s == AUTO_RESET_PAUSE_S
        await bench.sorted(1)


@in_virtual_time
async def test_a_fault_that_stays_is_tried_once_a_pause_for_long_and_overcome_when_it_is_over() -> None:
    tried, loop = list[float](), asyncio.get_running_loop()

    def still_failing() -> None:
        tried.append(loop.time())
        raise ModelError("model.engine_failed", "planted")

    async with operated() as bench:
        bench.classifier.warm_up, well = still_failing, bench.classifier.warm_up  # type: ignore[method-assign]
        began_s = now_s()
        await asyncio.sleep(LONG_S - 0.5)
        assert bench.desk.view.state is State.STOPPED
        assert [at_s - began_s for at_s in tried] == [AUTO_RESET_PAUSE_S * number for number in range(len(tried))]
        assert len(tried) == LONG_S / AUTO_RESET_PAUSE_S
        bench.classifier.warm_up = well  # type: ignore[method-assign]
        await bench.desk.reached(State.EXECUTE)
        assert now_s() - began_s == LONG_S


@in_virtual_time
async def test_a_simulation_ends_when_its_cell_waits_and_nothing_happens_for_long(tmp_path: Path) -> None:
    configuration = settings(simulation={"infeed_s": INFEED_S})
    options = SimulationOptions(tmp_path, None, None, "max", None, tmp_path)
    patience_s = SUSPENDED_FOR_GOOD_S + INFEED_S
    async with running() as bench:
        simulation = Simulation(configuration, options, Watchers(), lambda _said: None)
        stuck = asyncio.create_task(simulation._stuck(bench.desk))
        await asyncio.sleep(HOUR_S)
        assert not stuck.done(), "a cell that was never started has no trouble"
        await bench.start()
        bench.line.permit("withdrawn")
        for number in range(100):
            simulation._on_sim_event({"event": "fault", "name": f"{number}", "part_id": None})
            await asyncio.sleep(patience_s)
        assert not stuck.done(), "something happens"
        await asyncio.wait([stuck], timeout=2 * patience_s)
        assert stuck.done()
        assert bench.desk.view.reason is not None
