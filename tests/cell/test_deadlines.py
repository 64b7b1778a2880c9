"""Late, overloaded, cut off in mid-scan: what the cell does when the judgement is not there in time."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from station.cell.packml import State
from station.core import wakefulness
from station.core.clock import SystemClock
from station.core.events import NetworkOverloaded, PartDecided, StripScored
from station.core.part import Block, PartType, Pixels, Probabilities
from station.core.records import RecordFilter
from station.core.settings import Settings
from station.records.ledger import SqliteLedger
from station.records.query import export_records
from tests.cell.bench import Bench, running, settings
from tests.contract.fake_camera import Misfortune, Mishap
from tests.housings import Verdict
from tests.lines import BLOCKS_PER_TURN
from tests.open_files import held_open

MS = 1_000_000
PATIENCE_S = 20.0


class SlowedClock(SystemClock):
    """Monotonic time in which the network's work takes as long as a test says."""

    def __init__(self) -> None:
        self.worked_ns = 0

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self.worked_ns


def slow_down(bench: Bench, clock: SlowedClock, strip_ms: float) -> None:
    """Let every strip take so long by this clock, and the first one until the turn's last block is there."""
    score, block, given = bench.classifier.score, bench.camera.block, threading.Event()

    def counted(index: int, frame_id: int, lines: int) -> Block:
        if frame_id == 0:
            given.clear()
        elif frame_id == BLOCKS_PER_TURN - 1:
            given.set()
        return block(index, frame_id, lines)

    def slowly(patches: Pixels) -> Probabilities:
        assert given.wait(PATIENCE_S)
        clock.worked_ns += round(strip_ms * MS)
        return score(patches)

    bench.camera.block = counted  # type: ignore[method-assign]
    bench.classifier.score = slowly  # type: ignore[method-assign]


def type_of(bench: Bench) -> PartType:
    """The type of the parts in this test."""
    return next(iter(bench.ledger.entries.values())).inspection.part_type


def seen_times(bench: Bench, part_id: str) -> tuple[int, int]:
    """When a part's first block arrived, and when its last one was scored, in nanoseconds."""
    (judgement,) = [
        entry.judgement for entry in bench.ledger.entries.values() if entry.inspection.part.part_id == part_id
    ]
    assert judgement is not None
    scored = judgement.times.blocks[-1].scored_ns
    assert scored is not None
    return judgement.times.blocks[0].arrived_ns, scored


def patient(deadline_ms: float) -> Settings:
    return settings(decision={"deadline_ms": deadline_ms})


async def test_a_network_that_is_too_slow_for_the_deadline_sends_the_part_to_review_with_its_figures() -> None:
    clock = SlowedClock()
    async with running(patient(700), clock=clock) as bench:
        slow_down(bench, clock, 100.0)
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        (entry,) = bench.ledger.entries.values()
        assert bench.floor.sorted_parts == [("A1", "bin_review")]
        assert entry.judgement is not None
        decision = entry.judgement.decision
        assert decision.fault is not None
        assert (decision.verdict, decision.fault.code) == (Verdict.REVIEW, "scan.late")
        assert decision.algorithm1 == Verdict.DEFECT_FREE
        assert "after the last line, allowed are 0 to 700 ms" in decision.detail
        assert "ms a strip, a block is exposed in" in decision.detail
        assert decision.detail.endswith("7 blocks waited")
        assert bench.desk.view.state is State.EXECUTE


async def test_an_overload_is_told_with_its_figures_counted_and_leaves_out_no_block() -> None:
    clock = SlowedClock()
    async with running(patient(60_000), clock=clock) as bench:
        slow_down(bench, clock, 100.0)
        await bench.start()
        for count, part_id in enumerate(["A1", "A2"], start=1):
            bench.feed(part_id)
            await bench.sorted(count)
        assert [place for _part, place in bench.floor.sorted_parts] == ["second_inspection"] * 2
        told = [event.load for event in bench.events if isinstance(event, NetworkOverloaded)]
        assert [load.waiting for load in told] == [7, 7]
        first, last = seen_times(bench, "A1")
        assert 100 <= told[0].strip_ms <= (last - first) / BLOCKS_PER_TURN / 1e6
        assert told[0].block_ms == pytest.approx(448e3 / type_of(bench).line_rate_hz)
        assert bench.built.counters.overloaded == 2
        notes = [detail for event, detail in bench.ledger.events if event == "network_overloaded"]
        assert len(notes) == 1, "a row of overloaded parts is noted once"
        assert "7 blocks waited" in notes[0]
        scored = [event.scores.index for event in bench.events if isinstance(event, StripScored)]
        assert scored == list(range(BLOCKS_PER_TURN)) * 2


async def test_a_network_that_keeps_up_is_no_overload_however_fast_the_blocks_come() -> None:
    kinds = {
        name: kind.model_copy(update={"surface_speed_mm_s": kind.surface_speed_mm_s / 100})
        for name, kind in settings().part_types.items()
    }  # a block is exposed in seconds, whatever else the computer does
    async with running(settings().model_copy(update={"part_types": kinds})) as bench:
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        assert bench.floor.sorted_parts == [("A1", "second_inspection")]
        assert not [event for event in bench.events if isinstance(event, NetworkOverloaded)]
        assert bench.built.counters.overloaded == 0


@pytest.mark.parametrize("block", range(BLOCKS_PER_TURN))
async def test_a_camera_that_is_lost_in_mid_scan_costs_that_scan_and_the_whole_one_decides(block: int) -> None:
    async with running(misfortunes=[Misfortune(Mishap.UNPLUGGED, block)]) as bench:
        prepare, opened = bench.camera.prepare, bench.camera.open

        async def supervised(recipe: object) -> object:
            if bench.camera.lost:
                await opened()
            return await prepare(recipe)  # type: ignore[arg-type]

        bench.camera.prepare = supervised  # type: ignore[method-assign, assignment]
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        (entry,) = bench.ledger.entries.values()
        assert entry.judgement is not None
        assert (entry.verdict, entry.reason) == (Verdict.DEFECT_FREE, None)
        assert len(entry.judgement.times.blocks) == BLOCKS_PER_TURN
        assert [detail for event, detail in bench.ledger.events if event == "part_rescanned"] == [
            f"{entry.inspection.inspection_id} camera.lost: unplugged"
        ]
        scored = [event.scores.index for event in bench.events if isinstance(event, StripScored)]
        assert scored == [*range(block), *range(BLOCKS_PER_TURN)]


async def test_a_camera_that_is_lost_in_both_scans_sends_the_part_to_review_with_what_was_seen() -> None:
    async with running(misfortunes=[Misfortune(Mishap.UNPLUGGED, 5)]) as bench:
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        (entry,) = bench.ledger.entries.values()
        assert entry.judgement is not None
        assert bench.floor.sorted_parts == [("A1", "bin_review")]
        assert entry.reason is not None
        assert entry.reason.code == "camera.lost"
        times = entry.judgement.times
        assert len(times.blocks) == 5
        assert all(block.scored_ns is not None for block in times.blocks)


async def test_the_deadline_ledger_of_a_part_goes_forward_and_is_stored(tmp_path: Path) -> None:
    configuration = settings()
    books = (configuration.sha256, configuration.model_dump_json())
    ledger = await SqliteLedger.open(tmp_path, configuration.records, SystemClock(), books, configuration.table)
    async with running(configuration, ledger=ledger, parts=1) as bench:
        await bench.start()
        bench.feed("A1")
        await bench.desk.reached(State.COMPLETE)
        (decided,) = [event for event in bench.events if isinstance(event, PartDecided)]
    await ledger.close()
    (row,) = json.loads("".join(export_records(tmp_path, RecordFilter(), "json")))
    stored = row["times_ns"]
    assert {name: stored[name] for name in decided.times.flat()} == decided.times.flat()
    assert {name: stored[name] for name in decided.settled.flat()} == decided.settled.flat()
    last = f"block_{BLOCKS_PER_TURN - 1}"
    way = ["armed", "block_0_last_line", "block_0_arrived", f"{last}_last_line", f"{last}_arrived", f"{last}_scored",
           "decided", "plc_sent", "plc_acknowledged", "committed", "robot_ordered",
           "robot_done"]  # fmt: skip
    assert [stored[name] for name in way] == sorted(stored[name] for name in way)
    assert stored["decided"] <= stored["jig_stop_ordered"] <= stored["jig_at_rest"] <= stored["robot_ordered"]
    for before, after in zip(decided.times.blocks, decided.times.blocks[1:], strict=False):
        assert before.scored_ns is not None
        assert after.scored_ns is not None
        assert before.scored_ns <= after.scored_ns


@pytest.mark.parametrize("keep_awake", [True, False])
async def test_the_cores_are_kept_awake_from_loading_until_the_jig_rests_and_no_longer(
    *, keep_awake: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpu_dma_latency"
    file.touch()
    monkeypatch.setattr(wakefulness, "LATENCY_FILE", file)
    seen: dict[str, bool] = {}

    def looking(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def look_and_call(*arguments: object) -> Any:
            seen.setdefault(name, held_open(file))
            return call(*arguments)

        return look_and_call

    async with running(settings(model={"keep_awake": keep_awake})) as bench:
        for device, verb in [
            (bench.camera, "prepare"), (bench.robot, "load"), (bench.jig, "spin"), (bench.camera, "block"),
            (bench.plc.results, "publish"), (bench.jig, "stop"), (bench.robot, "unload"),
        ]:  # fmt: skip
            setattr(device, verb, looking(verb, getattr(device, verb)))
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
    awake = dict.fromkeys(["load", "spin", "block", "publish", "stop"], keep_awake)
    assert seen == awake | {"prepare": False, "unload": False}
