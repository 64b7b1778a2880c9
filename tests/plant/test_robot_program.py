"""The exported robot program carries out the station's orders, alone and in the whole cell, in both roles."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.modbus.profile import load_profile
from drivers.modbus.register_map import load_map
from sim.modbus.tcp_server import TcpServer, bind
from sim.proxy import Mode, TcpProxy
from station.plant.integration.urscript import urscript
from tests.cell.conftest import narrowest_types
from tests.free_port import free_port
from tests.housings import INSPECTED
from tests.plant.cell_and_station import simulated, station_child
from tests.plant.line_plc import LinePlc, working
from tests.plant.test_function_block import (
    GOOD_PLACE,
    PATIENCE_S,
    PLACES,
    base_of,
    exported_block,
    line_config,
    told,
    types_by_id,
)
from tests.plant.ur_controller import AWAY, SAFE, Controller, Registers, SimulatedArm, natives
from tests.plant.urscript import Program, ScriptError

pytestmark = [pytest.mark.plant, pytest.mark.timeout(600)]

NUMBER = 130
"""Register of an order's number."""
LOAD, UNLOAD, HOME = 1, 2, 3
DONE, REFUSED, FAILED = 1, 2, 3
IN_SAFE_ZONE, HOLDING, BUSY, ACKNOWLEDGED, ORDER_DONE, RESULT, CONFIRMED = 172, 173, 171, 180, 181, 182, 183
INFEED, JIG = [0.40, -0.30, 0.10], [0.50, 0.20, 0.20]


def script() -> str:
    return urscript(load_map("robot", INSPECTED, load_profile("universal_robots")))


class Arm:
    """An arm that goes where it is told, and a gripper that holds what lies where it closes.

    Attributes:
        parts: Where parts lie: `infeed`, `jig`, a place's number.
        seen: Registers `in_safe_zone` at the beginning of every motion.
        loses: Whether the part falls out of the gripper on the way.
    """

    def __init__(self, registers: Registers, *parts: Any) -> None:
        self.parts = set(parts)
        self.held = False
        self.loses = False
        self.moves: list[Any] = []
        self.seen: list[int] = []
        self._registers = registers
        self._joints = SAFE
        self._at: Any = None

    def natives(self) -> dict[str, Any]:
        return natives(
            self._registers,
            {
                "movej": self.movej, "movel": self.movel, "get_actual_joint_positions": self.joints,
                "get_standard_digital_in": self.input, "set_standard_digital_out": self.grip,
            },
        )  # fmt: skip

    async def movej(self, target: list[float], *_: float) -> None:
        self.seen.append(self._registers.words[IN_SAFE_ZONE - 128])
        self._joints = AWAY
        await asyncio.sleep(0.01)
        self._joints = SAFE if target == SAFE else AWAY
        self._at = None
        self.moves.append("safe" if target == SAFE else target[:3])
        self.held = self.held and not self.loses

    async def movel(self, target: list[float], *_: float) -> None:
        self.seen.append(self._registers.words[IN_SAFE_ZONE - 128])
        place = round((target[1] - 0.20) / 0.15) + 1
        self._at = {tuple(INFEED): "infeed", tuple(JIG): "jig"}.get(
            tuple(target[:3]), place if target[2] == 0.10 else None
        )
        self.moves.append(self._at)

    async def grip(self, _output: int, closed: bool) -> None:  # noqa: FBT001
        if closed:
            self.held = self._at in self.parts
            self.parts.discard(self._at)
        elif self.held and self._at is not None:
            self.parts.add(self._at)
            self.held = False

    async def joints(self) -> list[float]:
        return self._joints

    async def input(self, _number: int) -> bool:
        return self.held


@asynccontextmanager
async def robot(*parts: Any, taught: bool = True, standing: tuple[int, int, int] = (0, 0, 0)) -> AsyncIterator[Any]:
    """The program while it runs, with an arm; `standing` is what its order registers hold before."""
    registers = Registers()
    registers.words[0:3] = list(standing)
    arm = Arm(registers, *parts)
    running = asyncio.create_task(Program(script(), arm.natives()).run(taught=taught))
    try:
        await until(lambda: registers.words[160 - 128 : 162 - 128] == [1, 0xA55A])
        yield registers, arm
        assert not running.done(), running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  # the registers tell nobody
            await asyncio.sleep(0.005)


async def looked(registers: Registers) -> None:
    """Return when the program has looked at the order's number several times more."""
    enough = registers.looks[NUMBER] + 5
    await until(lambda: registers.looks[NUMBER] >= enough)


async def give(registers: Registers, verb: int, place: int, number: int) -> list[int]:
    """An order as the station gives it; what stands in done, result and place when it is over."""
    registers.write(128, [verb, place, number])
    await until(lambda: registers.words[ORDER_DONE - 128] == number)
    return registers.words[RESULT - 128 : CONFIRMED - 128 + 1]


def word(registers: Registers, address: int) -> int:
    return registers.words[address - 128]


async def test_it_tells_the_constants_and_beats() -> None:
    async with robot() as (registers, _):
        assert registers.words[32:38] == [1, 0xA55A, 0x47F1, 0x2000, 0x1234, 0x5678]
        first = word(registers, 170)
        await until(lambda: word(registers, 170) != first)
        assert word(registers, IN_SAFE_ZONE) == 1


async def test_a_beat_goes_on_beyond_what_a_signed_word_holds() -> None:
    registers = Registers()
    registers.words[170 - 128] = 65533
    arm = Arm(registers)
    running = asyncio.create_task(Program(script(), arm.natives()).run())
    await until(lambda: 1 <= word(registers, 170) < 100)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    beats = [value for address, value in registers.writes if address == 170]
    assert beats[:3] == [65534, 65535, 1]


async def test_load_and_unload_bring_a_part_through_and_say_where_it_lies() -> None:
    async with robot("infeed") as (registers, arm):
        assert await give(registers, LOAD, 0, 41) == [DONE, 0]
        assert (arm.parts, arm.held) == ({"jig"}, False)
        assert await give(registers, UNLOAD, 6, 42) == [DONE, 6]
        assert arm.parts == {6}
        assert set(arm.seen) == {0}, "it never says safe when a motion begins"
        assert arm.moves[-1] == "safe"
        assert word(registers, IN_SAFE_ZONE) == 1
        assert word(registers, BUSY) == 0
        assert word(registers, ACKNOWLEDGED) == 42


async def test_the_number_of_the_end_comes_after_all_that_it_tells_of() -> None:
    async with robot("infeed") as (registers, _):
        registers.writes.clear()
        await give(registers, LOAD, 0, 7)
        order = [
            address for address, _ in registers.writes if address in {ACKNOWLEDGED, BUSY, RESULT, CONFIRMED, ORDER_DONE}
        ]
        assert order == [BUSY, ACKNOWLEDGED, BUSY, CONFIRMED, RESULT, ORDER_DONE]


async def test_a_number_has_no_second_effect_and_zeros_start_nothing() -> None:
    async with robot("infeed") as (registers, arm):
        await give(registers, LOAD, 0, 7)
        moves = len(arm.moves)
        registers.write(128, [0, 0, 0])
        await looked(registers)
        registers.write(128, [LOAD, 0, 7])
        await looked(registers)
        assert len(arm.moves) == moves


async def test_an_order_that_stands_there_when_the_program_begins_is_not_carried_out() -> None:
    async with robot("jig", standing=(UNLOAD, 1, 9)) as (registers, arm):
        await looked(registers)
        assert arm.moves == []
        assert (word(registers, ACKNOWLEDGED), word(registers, ORDER_DONE)) == (0, 0)
        assert await give(registers, UNLOAD, 3, 10) == [DONE, 3]


async def test_nothing_moves_before_it_was_taught() -> None:
    async with robot("infeed", taught=False) as (registers, arm):
        for number, verb in ((1, LOAD), (2, UNLOAD), (3, HOME)):
            assert await give(registers, verb, 1, number) == [REFUSED, 0]
        assert arm.moves == []


@pytest.mark.parametrize(
    ("parts", "verb", "place", "ending"),
    [
        ((), LOAD, 0, [FAILED, 0]),
        ((), UNLOAD, 1, [FAILED, 0]),
        (("jig",), UNLOAD, 0, [REFUSED, 0]),
        (("jig",), UNLOAD, 7, [REFUSED, 0]),
        (("jig",), 9, 1, [REFUSED, 0]),
        ((), HOME, 0, [DONE, 0]),
    ],
)
async def test_what_cannot_be_done_is_refused_or_fails_in_the_safe_zone(
    parts: tuple[str, ...], verb: int, place: int, ending: list[int]
) -> None:
    async with robot(*parts) as (registers, _):
        assert await give(registers, verb, place, 5) == ending
        assert word(registers, IN_SAFE_ZONE) == 1


async def test_a_part_that_falls_is_no_part_that_was_laid_down() -> None:
    async with robot("jig") as (registers, arm):
        arm.loses = True
        assert await give(registers, UNLOAD, 2, 5) == [FAILED, 0]
        assert arm.parts == set()


@pytest.mark.parametrize(
    "text",
    ["def a():\n", "end\n", "def a():\n  x = y\nend\n", "def a():\n  f()\nend\n", "def a():\n  x = 1 @ 2\nend\n"],
)
async def test_what_is_no_script_is_refused(text: str) -> None:
    with pytest.raises(ScriptError):
        await Program(text, {}).run()


@pytest.mark.parametrize("role", ["client", "server"])
async def test_the_whole_cell_works_with_the_exported_programs_of_plc_and_robot(
    make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path, role: str
) -> None:
    """The network to the robot breaks, and its program is stopped and started, once between two parts."""
    parts = 4
    cell = narrowest_types(make_config(("\n[jig]\n", 'profile = "universal_robots"\n\n[jig]\n')))
    types = types_by_id(cell)
    plc = LinePlc(exported_block(), serves=role == "client")
    serving = free_port() if role == "server" else None
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(simulated(cell, parts, environment, tmp_path))
        arm = SimulatedArm(world.ready["robot"]["port"])
        await arm.open()
        stack.push_async_callback(arm.close)
        controller = Controller(script(), arm)
        inner, outer = bind("robot", "127.0.0.1", 0), bind("robot", "127.0.0.1", 0)
        server = TcpServer(controller.registers, 1)  # type: ignore[arg-type]
        await server.serve(inner)
        stack.push_async_callback(server.close)
        network = TcpProxy(outer, inner.getsockname()[:2])
        stack.push_async_callback(network.close)
        controller.start()
        stack.push_async_callback(controller.stop)
        to_plc = await stack.enter_async_context(working(plc, serving))
        config = line_config(cell, role, network.address[1], serving or to_plc.address[1])
        running = station_child(config, tmp_path / "data", environment, tmp_path)
        await running.start()
        stack.push_async_callback(running.stop)

        def sense(part_id: str | None) -> None:
            plc.infeed = None if part_id is None else (part_id, types[base_of(part_id)])

        world.on_infeed = sense
        sense(world.at_infeed)
        for number in range(1, parts + 1):
            if number == 2:
                network.switch(Mode.RESET)
                await asyncio.sleep(0.5)
                network.switch(Mode.PASS)
            elif number == 3:
                network.switch(Mode.DROP_REPLY, 4)
            await world.until(
                lambda n=number: len(world.placed) >= n, PATIENCE_S,
                lambda n=number: f"part {n} lies: {controller.problem()} {told(plc, world, running)}",
            )  # fmt: skip
        await world.until(lambda: len(plc.places) >= parts, PATIENCE_S, lambda: told(plc, world, running))
    assert controller.problem() is None
    assert world.astray == []
    assert {seen.part_id: PLACES[seen.place] for seen in plc.places} == world.placed
    passed = sorted(seen.part_id for seen in plc.places if seen.good)
    assert passed == sorted(part for part, place in world.placed.items() if place == GOOD_PLACE)
