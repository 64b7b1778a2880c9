"""The camera's process is killed, and the robot's and the PLC's connections are cut, at random moments.

No part is lost, sorted twice or passed unjudged, and the cell goes on. The station's own death is in `test_kill.py`.
A failure names its seed; `STATION_CAMPAIGN="SEED BREAKS" pytest -m slow tests/cell/test_random_moments.py` plays it
again.
"""

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from sim.ledger import Happening
from tests.cell.fault_bench import PATIENCE_S, FaultBench, fault_bench
from tests.cell.ten_rules import check_rules
from tests.own_children import camera_processes

LONGEST_WAIT_S = 0.6
"""Some parts go through in it, so that every step of a part is met."""


def kill_camera(_bench: FaultBench) -> None:
    for pid in camera_processes():
        os.kill(pid, signal.SIGKILL)


def cut_robot(bench: FaultBench) -> None:
    bench.cell.broken._effects["robot-net-reset"].begin()


def cut_plc(bench: FaultBench) -> None:
    bench.cell.broken._effects["plc-net-reset"].begin()


BREAKS = {"camera-killed": kill_camera, "robot-cut": cut_robot, "plc-cut": cut_plc}


async def broken_at_random(folder: Path, breaks: int, seed: int) -> str:
    """Break something so many times at random moments, and wait each time until parts go through again."""
    chance = random.Random(seed)  # noqa: S311  # moments, not secrets
    async with fault_bench(folder) as bench:
        for number in range(breaks):
            name = chance.choice(list(BREAKS))
            wait_s = chance.uniform(0, LONGEST_WAIT_S)
            told = f"seed {seed}, break {number}: {name} after {wait_s:.3f} s"
            await asyncio.sleep(wait_s)
            BREAKS[name](bench)
            await goes_on(bench, told)
        await bench.stop()
        check_rules(bench, f"seed {seed}")
        placed = sum(entry.event is Happening.PLACED for entry in bench.truth.entries)
        return f"seed {seed}: {breaks} breaks, {bench.closed_records()} parts, {placed} moves"


async def goes_on(bench: FaultBench, told: str, parts: int = 2) -> None:
    """So many more records are closed."""
    closed = bench.closed_records()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await bench._until(lambda: bench.closed_records() >= closed + parts)
    except TimeoutError as error:
        state = bench.desk.view.state.name
        raise AssertionError(f"{told}: the cell did not go on, it is {state}, {bench.desk.view.reason}") from error


@pytest.mark.timeout(170)
async def test_a_dozen_breaks_at_random_moments_lose_no_part(tmp_path: Path) -> None:
    assert "12 breaks" in await broken_at_random(tmp_path, 12, seed=5)


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_two_hundred_breaks_at_random_moments_lose_no_part(tmp_path: Path) -> None:
    seed, breaks = os.environ.get("STATION_CAMPAIGN", "1 200").split()
    print(await broken_at_random(tmp_path, int(breaks), int(seed)))  # noqa: T201
