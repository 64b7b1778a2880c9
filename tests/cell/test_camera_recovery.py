"""A camera that fails costs one scan: the cell goes on by itself, and is Held only when that does not help."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from station.cell.packml import State
from station.core.events import CellEvent, PartSorted, StripScored
from station.core.settings import load_settings
from station.host.simulate import Simulation, SimulationOptions
from tests.cell.bench import running, settings
from tests.housings import Destination
from tests.own_children import camera_processes
from tests.told_at_once import ToldAtOnce


async def test_turns_without_an_index_pulse_cost_their_parts_and_then_hold_the_cell() -> None:
    async with running(settings(camera={"failed_turns": 3})) as bench:
        await bench.start()
        bench.camera.turning = False
        for count, part_id in enumerate(["A1", "A2"], start=1):
            bench.feed(part_id)
            await bench.sorted(count)
            assert bench.desk.view.state is State.EXECUTE
        bench.feed("A3")
        await bench.desk.reached(State.HELD)
        assert bench.floor.sorted_parts == [(part_id, "bin_review") for part_id in ("A1", "A2", "A3")]
        reason = bench.desk.view.reason
        assert reason is not None
        assert reason.fault.code == "scan.failing"
        assert reason.detail == "3 parts in a row had no whole scan, the last one camera.timeout: no index pulse"


async def test_a_complete_scan_in_between_begins_the_count_anew() -> None:
    async with running(settings(camera={"failed_turns": 2})) as bench:
        await bench.start()
        for count, (part_id, turning) in enumerate([("A1", False), ("A2", True), ("A3", False), ("A4", True)], start=1):
            bench.camera.turning = turning
            bench.feed(part_id)
            await bench.sorted(count)
        assert bench.desk.view.state is State.EXECUTE
        assert [place for _, place in bench.floor.sorted_parts] == ["bin_review", "second_inspection"] * 2


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_camera_process_that_is_killed_or_stopped_in_a_scan_costs_that_scan_alone(
    make_config: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    no_time = [(f"{key} = {value}", f"{key} = 0.0") for key, value in (("robot_load_s", 1.2), ("robot_unload_s", 1.2))]
    config = make_config(*no_time, ("infeed_s = 0.2", "infeed_s = 0.0"), ("jig_ramp_s = 0.3", "jig_ramp_s = 0.0"))
    options = SimulationOptions(config, None, 3, "real", tmp_path / "truth.jsonl", tmp_path / "data")
    sorted_parts: list[PartSorted] = []
    killed: list[int] = []

    def watch(event: CellEvent) -> None:
        if isinstance(event, PartSorted):
            sorted_parts.append(event)
        if isinstance(event, StripScored) and len(sorted_parts) == 1 and not killed:
            killed.extend(camera_processes())
            os.kill(killed[0], number)

    async with asyncio.timeout(100):
        result: Any = await Simulation(load_settings(config), options, ToldAtOnce(watch), print).run()
    assert result.reason is None
    assert len(killed) == 1
    first, second, third = (event.decision for event in sorted_parts)
    assert first.fault is None
    assert second.fault is None or sorted_parts[1].confirmed == Destination.BIN_REVIEW
    assert third.fault is None
    assert len({event.inspection.part.part_id for event in sorted_parts}) == 3
    assert [event.scan_valid for event in sorted_parts][::2] == [True, True]
    assert camera_processes() == []
