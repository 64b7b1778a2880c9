"""The exported function block runs the whole station in both roles, through every fault of network and programs.

The station is `station run`, robot, jig and camera are `python -m sim`, which also tells where every part truly lies.
The block is executed as it was exported (`tests.plant.line_plc`).
"""

import asyncio
import json
import random
import signal
import tomllib
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from drivers.modbus.register_map import load_map
from sim.proxy import Mode, TcpProxy
from sim.recordings import bundled_recording
from station.plant.integration.block import block_of
from station.plant.integration.structured_text import structured_text
from tests.cell.conftest import Run, narrowest_types
from tests.free_port import free_port
from tests.housings import INSPECTED
from tests.plant.cell_and_station import Child, World, simulated, station_child
from tests.plant.line_plc import LinePlc, working

pytestmark = [pytest.mark.plant, pytest.mark.timeout(900)]

GOOD_PLACE = "second_inspection"
PLACES = ["none", GOOD_PLACE, "bin_imprinted", "bin_pits", "bin_roll_marks", "bin_scratches", "bin_review"]
VERDICTS = ["none", "defect_free", "imprinted", "pits", "roll_marks", "scratches", "review"]
PATIENCE_S = 120.0
NETWORK = [mode for mode in Mode if mode is not Mode.PASS]
TROUBLE_S = (0.3, 1.6)
SEED = 25


@dataclass
class Scene:
    """Everything that can break, while the line runs."""

    plc: LinePlc
    network: TcpProxy
    world: World
    station: Child
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311

    async def spoil_network(self, mode: Mode) -> None:
        """The network is spoilt for a while."""
        await asyncio.sleep(self.chance.uniform(0, 0.5))
        self.network.switch(mode)
        await asyncio.sleep(self.chance.uniform(*TROUBLE_S))
        self.network.switch(Mode.PASS)

    async def lose_replies(self) -> None:
        """Just the next three replies are lost."""
        self.network.switch(Mode.DROP_REPLY, 3)
        await asyncio.sleep(0)

    async def restart_plc(self, *, cold: bool) -> None:
        """The PLC's program begins anew."""
        await asyncio.sleep(self.chance.uniform(0, 1.0))
        self.plc.restart(cold=cold)

    async def stop_beating(self) -> None:
        """The PLC's program stands still for longer than the station believes it."""
        self.plc.runs = False
        await asyncio.sleep(2.6)
        self.plc.runs = True

    async def spoil_complement(self) -> None:
        """The next result's complement does not fit, until the block has seen that."""
        before = self.plc.doubts
        self.plc.spoils = True
        await self.world.until(
            lambda: self.plc.doubts > before, PATIENCE_S,
            lambda: f"a doubtful result is seen: {told(self.plc, self.world, self.station)}",
        )  # fmt: skip

    async def restart_station(self, how: signal.Signals) -> None:
        """The station ends, in order or not, and begins anew."""
        await asyncio.sleep(self.chance.uniform(0, 1.0))
        await self.station.stop(how)
        await self.station.start()


Trouble = Callable[[Scene], Any]
TROUBLES: dict[str, Trouble] = {
    **{f"network {mode}": lambda scene, mode=mode: scene.spoil_network(mode) for mode in NETWORK},
    "replies lost": Scene.lose_replies,
    "PLC restarts, memory kept": lambda scene: scene.restart_plc(cold=False),
    "PLC restarts, memory lost": lambda scene: scene.restart_plc(cold=True),
    "PLC stands still": Scene.stop_beating,
    "complement wrong": Scene.spoil_complement,
    "station restarts": lambda scene: scene.restart_station(signal.SIGTERM),
    "station is killed": lambda scene: scene.restart_station(signal.SIGKILL),
}


def exported_block() -> str:
    return structured_text(block_of(load_map("plc", INSPECTED), INSPECTED))


def line_config(cell: Path, role: str, robot_port: int, plc_port: int) -> Path:
    """The station's configuration: the simulated cell's robot and jig, and this PLC."""
    text = cell.read_text(encoding="utf-8")
    link = '.link]\nkind = "tcp"\nhost = "127.0.0.1"\nport = '
    for device, port in (("robot", robot_port), ("plc", plc_port)):
        assert f"[{device}{link}0" in text
        text = text.replace(f"[{device}{link}0", f"[{device}{link}{port}")
    assert "defect_list = true" in text
    text = text.replace("defect_list = true", "defect_list = false")  # this PLC has no registers for it
    path = cell.with_name("line.toml")
    path.write_text(text.replace('role = "client"', f'role = "{role}"'), encoding="utf-8")
    return path


def types_by_id(config: Path) -> dict[str, int]:
    """What the reader at the infeed knows: the type of each part of the recording."""
    codes = {name: row["code"] for name, row in tomllib.loads(config.read_text())["part_types"].items()}
    rows = [json.loads(line) for line in (bundled_recording() / "recording.jsonl").read_text().splitlines()]
    return {row["part_id"]: codes[row["part_type"]] for row in rows if row["part_type"] in codes}


@pytest.mark.parametrize("role", ["client", "server"])
async def test_no_part_passes_twice_none_without_a_valid_result_and_none_is_lost(
    station: Run, make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path, role: str
) -> None:
    """One trouble a part, each of them in turn, and a part without any at the end.

    A part is not announced before its own trouble begins, however fast the cell sorts those before it.
    """
    parts = len(TROUBLES) + 1
    cell = narrowest_types(make_config())
    types, data = types_by_id(cell), tmp_path / "data"
    plc = LinePlc(exported_block(), serves=role == "client")
    serving = free_port() if role == "server" else None
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(simulated(cell, parts, environment, tmp_path))
        network = await stack.enter_async_context(working(plc, serving))
        plc_port = serving or network.address[1]
        config = line_config(cell, role, world.ready["robot"]["port"], plc_port)
        running = station_child(config, data, environment, tmp_path)
        await running.start()
        stack.push_async_callback(running.stop)

        due: set[str] = set()

        def sense(part_id: str | None) -> None:
            plc.infeed = (part_id, types[base_of(part_id)]) if part_id in due else None

        world.on_infeed = sense
        scene = Scene(plc, network, world, running)
        names = list(TROUBLES)
        for number in range(1, parts + 1):
            await world.until(lambda n=number: len(world.fed) >= n, PATIENCE_S, lambda n=number: f"part {n} is fed")
            part = world.fed[number - 1]
            name = names[(number - 1) % len(names)] if number < parts else "none"
            due.add(part)
            sense(world.at_infeed)
            if name != "none":
                await TROUBLES[name](scene)
            await world.until(
                lambda one=part: one in world.placed, PATIENCE_S,
                lambda one=part, after=name: f"{one} lies, after {after}: {told(plc, world, running)}",
            )  # fmt: skip
            await world.until(
                lambda one=part: any(seen.part_id == one for seen in plc.places), PATIENCE_S,
                lambda one=part, after=name: f"{one} is told of, after {after}: {told(plc, world, running)}",
            )  # fmt: skip
    check(plc, world, parts)
    records = json.loads(station("records", "export", "--json", "--data", data).stdout)
    assert {row["part_id"] for row in records} >= set(world.fed)


def check(plc: LinePlc, world: World, parts: int) -> None:
    """What the block has told, against where the parts truly lie."""
    assert len(world.fed) == len(set(world.fed)) == parts
    assert world.astray == []
    assert set(world.placed) == set(world.fed), "no part is lost"
    assert [seen for seen in plc.decisions + plc.places if not seen.complement_fits] == []
    places = {seen.inspection: seen for seen in plc.places}
    again = len(plc.places) - len(places)
    assert again <= plc.cold_restarts, "one that comes again, the memory lost, has the number that it had"
    assert sorted(seen.part_id for seen in places.values()) == sorted(world.fed), "each is told of once"
    assert {seen.part_id: PLACES[seen.place] for seen in plc.places} == world.placed
    passed = [seen.part_id for seen in places.values() if seen.good]
    truly = [part for part, place in world.placed.items() if place == GOOD_PLACE]
    assert sorted(passed) == sorted(truly), "what passes is what lies among the good parts"
    assert plc.doubts > 0, "a result whose complement did not fit was seen, and not believed"


def base_of(part_id: str) -> str:
    """The id in the recording; those that come again have a suffix."""
    return "-".join(part_id.split("-")[:2])


def told(plc: LinePlc, world: World, running: Child) -> str:
    """How all stands, for whoever looks why it does not go on."""
    names = ("ready", "alive", "state", "stopReason", "step", "settling", "announced", "partAccepted", "resultDoubtful")
    block = {name: plc.output(name) for name in names}
    return f"{block}, infeed {plc.infeed}, {plc.places[-2:]}, {world.placed}, {''.join(running.said[-15:])}"
