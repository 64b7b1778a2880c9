"""Many parts with random faults: the ten rules hold, whatever breaks; `ten_rules.py` says how each is checked.

A failure names its seed; `STATION_CAMPAIGN="SEED PARTS" pytest -m slow tests/cell/test_campaign.py` plays it again.
"""

import asyncio
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from sim.faults import NAMED_FAULTS, UNTIL_CLEARED, Wish
from sim.ledger import Happening
from tests.cell.fault_bench import OF_THE_CELL, PATIENCE_S, FaultBench, fault_bench
from tests.cell.ten_rules import check_rules

SLOW_PARTS = 2500
ARCHIVED = {"archive": ["defect_free", "scratches"], "reserve_mb": 100, "low_mb": 100}
GAP = 14
"""Parts between two faults, on average."""


async def campaign(folder: Path, parts: int, seed: int) -> str:
    """Take so many parts through while faults strike at random; what struck, in words."""
    chance = random.Random(seed)  # noqa: S311  # faults, not secrets
    struck: Counter[str] = Counter()
    async with fault_bench(folder, changes={"records": ARCHIVED}) as bench:
        while bench.closed_records() < parts:
            fault = chance.choice(OF_THE_CELL)
            gap = min(int(chance.expovariate(1 / GAP)), max(0, parts - bench.closed_records()))
            await strike_after(
                bench, fault.name, gap, f"seed {seed}, after {sum(struck.values())} faults: {fault.name}"
            )
            struck[fault.name] += 1
        await bench.stop()
        check_rules(bench, f"seed {seed}")
        return f"seed {seed}: {bench.closed_records()} parts, {sum(struck.values())} faults of {len(struck)} kinds"


async def strike_after(bench: FaultBench, name: str, gap: int, told: str) -> None:
    """Let a fault strike one of the parts to come, and an operator bring the cell back."""
    fault = NAMED_FAULTS[name]
    fed = sum(entry.event is Happening.FED for entry in bench.truth.entries)
    bench.truth.seen.struck.clear()
    bench.cell.broken.arm([Wish(fault, str(fed + 1 + gap))])
    try:
        async with asyncio.timeout(PATIENCE_S + gap):
            await bench._until(lambda: bool(bench.truth.seen.struck))
            await bench._until(lambda: not bench.cell.broken.present(name) or fault.lasts_s == UNTIL_CLEARED, name)
            closed = bench.closed_records()
            if fault.lasts_s == UNTIL_CLEARED:
                await asyncio.sleep(chance_to_act_s(gap))
                bench.cell.broken.clear(name)
            await bench._until(lambda: bench.closed_records() >= closed + 2, name)
    except TimeoutError as error:
        raise AssertionError(f"{told}: the cell did not go on, it is {bench.desk.view.state.name}") from error


def chance_to_act_s(gap: int) -> float:
    """How long a person takes to come and clear a fault."""
    return 0.1 * (gap % 10)


@pytest.mark.timeout(170)
async def test_sixty_parts_with_random_faults_break_no_rule(tmp_path: Path) -> None:
    assert "parts" in await campaign(tmp_path, 60, seed=7)


@pytest.mark.slow
@pytest.mark.timeout(5400)
@pytest.mark.parametrize("seed", [1, 2])
async def test_thousands_of_parts_with_random_faults_break_no_rule(tmp_path: Path, seed: int) -> None:
    chosen = os.environ.get("STATION_CAMPAIGN", f"{seed} {SLOW_PARTS}").split()
    print(await campaign(tmp_path, int(chosen[1]), int(chosen[0])))  # noqa: T201
