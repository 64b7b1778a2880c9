"""What hangs becomes a fault: the compute thread, above the ports."""

import threading

from station.core.part import Verdict
from station.packml import Command, State
from tests.cell.bench import running, settings


async def test_a_network_that_hangs_sends_the_part_to_review_and_holds_the_cell_which_runs_on_after_unhold() -> None:
    async with running(settings(watchdog={"compute_timeout_s": 0.2})) as bench:
        await bench.start()
        gate, score = threading.Event(), bench.classifier.score
        bench.classifier.score = lambda _patches: gate.wait()  # type: ignore[method-assign, assignment, return-value]
        bench.feed("A1")
        assert await bench.controller.reached(State.HELD, State.EXECUTE, State.ABORTED) is State.EXECUTE
        assert await bench.controller.reached(State.HELD) is State.HELD
        entry = next(iter(bench.ledger.entries.values()))
        assert (entry.state, entry.verdict) == ("sorted", Verdict.REVIEW)
        assert entry.reason is not None
        assert entry.reason.code == "model.engine_failed"
        assert bench.floor.sorted_parts == [("A1", "bin_review")]
        fault, detail = bench.controller.trouble
        assert fault is not None
        assert (fault.code, "no answer within 0.2 s" in detail) == ("model.engine_failed", True)
        bench.classifier.score = score  # type: ignore[method-assign]
        bench.controller.command(Command.UNHOLD)
        await bench.controller.reached(State.EXECUTE)
        bench.feed("A2")
        await bench.sorted(2)
        assert bench.floor.sorted_parts[-1] == ("A2", "second_inspection")
        gate.set()


async def test_a_network_that_hangs_when_it_is_warmed_up_is_told_and_the_cell_does_not_start() -> None:
    async with running(settings(watchdog={"compute_timeout_s": 0.1})) as bench:
        gate = threading.Event()
        bench.classifier.warm_up = gate.wait  # type: ignore[method-assign, assignment]
        bench.controller.command(Command.RESET)
        assert await bench.controller.reached(State.STOPPED, State.IDLE) is State.STOPPED
        assert bench.controller.trouble[0] is not None
        assert bench.controller.trouble[0].code == "model.engine_failed"
        gate.set()
