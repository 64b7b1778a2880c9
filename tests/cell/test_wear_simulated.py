"""What wears in the simulated cell, through the whole station: each alarm in the very part in which it is due."""

from collections.abc import Callable
from pathlib import Path

import pytest

from station.core.drift import course, limits
from tests.cell.drifting import due
from tests.cell.product_bench import product_cell
from tests.cell.product_lines import RING, RINGS
from tests.cell.products import Shown, make_recording, product

FIRST, LAST, PARTS = 2, 3, 27
WEARS = ("lamp-fades@3", "focus-drifts@3", "lens-dirty@8")
IN_LIGHT = "light_reference = 150"
"""A ring whose lamp fades is brought to the light that its network knows."""


@pytest.fixture(autouse=True)
def few_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two parts tell how it was at first, and three how it is now."""
    monkeypatch.setattr(limits, "FIRST_PARTS", FIRST)
    for module in (limits, course):
        monkeypatch.setattr(module, "LAST_PARTS", LAST)


async def test_a_fading_lamp_a_drifting_focus_and_dirt_are_alarms_when_they_are_due_and_suspend_what_is_promised(
    make_config: Callable[..., Path], tmp_path: Path
) -> None:
    config = make_config(*product(RINGS, (RING,), tmp_path))
    config.write_text(config.read_text(encoding="utf-8").replace("min_confidence = 0.9", IN_LIGHT), encoding="utf-8")
    parts = tuple(Shown(f"R{number}", RING, "good", RING.greys["good"]) for number in range(1, PARTS + 1))
    async with product_cell(config, make_recording(tmp_path / "shown", parts), tmp_path, faults=WEARS) as cell:
        await cell.take_all(PARTS)
        records = cell.records()
        listed = {alarm.fault.code for alarm in cell.station.desk.view.alarms if alarm.active}
    watched = [record for part in parts if (record := records[part.part_id])["drift"] is not None]
    drifts = [record["drift"] for record in watched]
    assert len(watched) >= PARTS - 8, "a scan that is not whole says nothing"
    expected = due([record["conditions"] for record in watched], (), FIRST, LAST)
    assert set(expected) == {"camera.lamp_faded", "camera.out_of_focus", "camera.dirt"}
    came = {code: next(n for n, drift in enumerate(drifts) if code in drift["beyond"]) for code in expected}
    assert came == expected
    assert set(expected) | {"quality.promise_suspended"} <= listed
    begun = min(expected.values())
    assert [drift["suspended"] is not None for drift in drifts] == [False] * begun + [True] * (len(drifts) - begun)
    assert {drift["suspended"]["inspection_id"] for drift in drifts[begun:]} == {watched[begun]["inspection_id"]}
