"""Golden parts in the schedule of the simulated cell: over its registers, with its faults, and in its records."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from station.cell.packml import Command, State
from station.cli.challenge import challenge_app
from station.cli.msa import msa_app
from station.core.errors import ConfigError
from tests.cell.product_bench import PATIENCE_S, ProductCell, product_cell
from tests.cell.product_lines import RING, RINGS
from tests.cell.products import Shown, make_recording, product

GOLDEN = (
    RINGS
    + """
[[challenge.golden]]
part_id = "GOLD-G"
part_type = "ring"
expected = "good"

[[challenge.golden]]
part_id = "GOLD-S"
part_type = "ring"
expected = "stain"
"""
)
GOOD, STAIN = (Shown(name, RING, label, RING.greys[label]) for name, label in (("GOLD-G", "good"), ("GOLD-S", "stain")))
PARTS = tuple(Shown(f"R{number}", RING, "good", RING.greys["good"]) for number in (1, 2))


@pytest.fixture
def config(make_config: Callable[..., Path], tmp_path: Path) -> Path:
    return make_config(*product(GOLDEN, (RING,), tmp_path))


def told(config: Path, folder: Path, *words: str) -> str:
    """What a command says of this cell's records."""
    command = [*words, "--config", str(config), "--data", str(folder / "data")]
    result = CliRunner().invoke(challenge_app, command)
    assert result.exit_code == 0, result.output
    return result.output


async def until_stuck(cell: ProductCell, state: State, said: str) -> str:
    """Start the cell; why it does not go on, once it stands in this state for a reason that begins so."""
    desk = cell.station.desk
    desk.command(Command.RESET, "an operator")
    await desk.reached(State.IDLE)
    desk.command(Command.START, "an operator")
    while True:
        view = desk.view
        told = f"{view.reason.fault.code}: {view.reason.detail}" if view.reason is not None else ""
        if view.state is state and told.startswith(said):
            return told
        await desk.changed()


async def test_a_lamp_that_has_changed_fails_the_challenge_and_all_parts_since_the_last_one_are_suspect(
    config: Path, tmp_path: Path
) -> None:
    before, after = make_recording(tmp_path / "before", (GOOD, STAIN, *PARTS)), (GOOD, STAIN)
    async with product_cell(config, before, tmp_path) as cell:
        await cell.take_all(4)
        reasons = {part: event.decision.fault and event.decision.fault.code for part, event in cell.sorted.items()}
    assert reasons == {"GOLD-G": "part.golden", "GOLD-S": "part.golden", "R1": None, "R2": None}
    recording = make_recording(tmp_path / "after", after)
    async with product_cell(config, recording, tmp_path, faults=("lamp-at-160@GOLD-S",)) as cell:
        async with asyncio.timeout(PATIENCE_S):
            await until_stuck(cell, State.HELD, "part.challenge_failed: GOLD-S is stain, judged ")
    found = json.loads(told(config, tmp_path, "suspects", "--json"))
    assert [part["part_id"] for part in found["parts"]] == ["R1", "R2"]
    assert "2 parts of ring since the one passed at" in told(config, tmp_path, "suspects")
    steps = json.loads(told(config, tmp_path, "list", "--json"))
    assert [row["event"] for row in reversed(steps)] == ["judged", "judged", "passed", "judged", "judged", "failed"]


@pytest.mark.parametrize(
    ("name", "part_id", "state", "said"),
    [
        ("golden-missing", "GOLD-S", State.SUSPENDED, "part.challenge_due: ring: "),
        ("golden-twice", "GOLD-G", State.SUSPENDED, "part.golden_refused: GOLD-G was laid in already; ring: "),
        ("golden-wrong", "GOLD-S", State.HELD, "part.challenge_failed: GOLD-S is stain, judged good"),
    ],
)
async def test_a_golden_part_that_is_not_laid_in_as_it_should_be_stops_the_cell_until_it_is(
    config: Path, tmp_path: Path, name: str, part_id: str, state: State, said: str
) -> None:
    recording = make_recording(tmp_path / "shown", (GOOD, STAIN, *PARTS))
    async with product_cell(config, recording, tmp_path, faults=(f"{name}@{part_id}",)) as cell:
        desk = cell.station.desk
        desk.limit_parts(4)
        async with asyncio.timeout(PATIENCE_S):
            told = await until_stuck(cell, state, said)
            assert not {"R1", "R2"} & cell.sorted.keys(), "no part goes before the golden ones"
            if state is State.SUSPENDED:
                assert told.endswith("lay in GOLD-S")
                cell.broken.clear(name)
                await desk.reached(State.COMPLETE)
                assert {cell.sorted[one.part_id].decision.verdict.name for one in PARTS} == {"good"}


def test_a_golden_parts_fault_takes_golden_parts(make_config: Callable[..., Path], tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "shown", PARTS)
    plain = make_config(*product(RINGS, (RING,), tmp_path))

    async def run() -> None:
        async with product_cell(plain, recording, tmp_path, faults=("golden-twice",)):
            raise AssertionError("it began")

    with pytest.raises(ConfigError, match=r"golden-twice cannot strike here: challenge\.golden names no part"):
        asyncio.run(run())


def test_commands_without_a_station_say_so(config: Path, tmp_path: Path) -> None:
    for app, words in ((challenge_app, ["due", "ring"]), (msa_app, ["end"])):
        result = CliRunner().invoke(app, [*words, "--config", str(config), "--data", str(tmp_path / "none")])
        assert getattr(result.exception, "code", None) == "control.no_station"
