"""A Universal Robots controller: 128 registers behind Modbus TCP, and a script that runs beside them.

Source: Universal Robots, "Modbus Server" (article 16377); the script manual for the natives.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sim.modbus.slave import ExceptionCode, RefusedError
from sim.modbus.tcp_master import TcpMaster
from tests.plant.urscript import STEP_S, Native, Program

FIRST, COUNT = 128, 128
SAFE, AWAY = [0.0, -1.57, 1.57, -1.57, -1.57, 0.0], [0.5] * 6
DONE, FAILED = 1, 3


class Registers:
    """Those that a program and its Modbus clients share; they outlive the program."""

    def __init__(self) -> None:
        self.words = [0] * COUNT
        self.writes: list[tuple[int, int]] = []
        self.looks: Counter[int] = Counter()

    def read(self, _kind: str, address: int, count: int) -> list[int]:
        """As a client reads, with either function."""
        if not FIRST <= address <= address + count <= FIRST + COUNT:
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS)
        return self.words[address - FIRST : address - FIRST + count]

    def write(self, address: int, words: list[int]) -> None:
        """As a client writes."""
        if not FIRST <= address <= address + len(words) <= FIRST + COUNT:
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS)
        self.words[address - FIRST : address - FIRST + len(words)] = words

    async def get(self, address: int) -> int:
        """`read_port_register`: signed."""
        self.looks[address] += 1
        word = self.words[address - FIRST]
        return word - 0x10000 if word > 0x7FFF else word

    async def put(self, address: int, value: int) -> None:
        """`write_port_register`: signed or not."""
        assert -0x8000 <= value <= 0xFFFF, (address, value)
        self.writes.append((address, value & 0xFFFF))
        self.words[address - FIRST] = value & 0xFFFF


def natives(registers: Registers, arm: Mapping[str, Native]) -> dict[str, Native]:
    """What the controller has, with this arm."""

    async def sync() -> None:
        await asyncio.sleep(STEP_S)

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.02))

    async def norm(value: float) -> float:
        return abs(value)

    return {
        "read_port_register": registers.get, "write_port_register": registers.put, "sync": sync, "sleep": sleep,
        "norm": norm, **arm,
    }  # fmt: skip


class SimulatedArm:
    """The simulated cell's robot as the arm of the controller: whole orders, as the cell knows them.

    Args:
        port: Where the simulated robot listens; it has the same registers.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._master: TcpMaster | None = None
        self._number = 1000
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Connect."""
        self._master = await TcpMaster.connect("127.0.0.1", self._port, 1, 5.0)

    async def close(self) -> None:
        """Disconnect."""
        assert self._master
        await self._master.__aexit__()

    async def _status(self) -> list[int]:
        assert self._master
        async with self._lock:
            return await self._master.read_holding(170, 14)

    async def order(self, verb: int, place: int) -> tuple[int, int]:
        """Carry one out; its result, and the place that is confirmed."""
        assert self._master
        self._number += 1
        async with self._lock:
            await self._master.write_holding(128, [verb, place, self._number])
        while (status := await self._status())[11] != self._number:  # noqa: ASYNC110  # it is asked over a wire
            await asyncio.sleep(0.01)
        return status[12], status[13]

    async def joints(self) -> list[float]:
        """Where the arm is."""
        return SAFE if (await self._status())[2] else AWAY

    async def input(self, _number: int) -> bool:
        """The gripper's sensor."""
        return bool((await self._status())[3])

    async def stay(self, *_: Any) -> None:
        """A motion that the simulated robot has made already."""


class Controller:
    """The registers, and the program that is started and stopped.

    Args:
        script: The exported program.
        arm: What moves.
    """

    def __init__(self, script: str, arm: SimulatedArm) -> None:
        self.registers = Registers()
        self._script = script
        self._arm = arm
        self._running: asyncio.Task[None] | None = None
        self.starts = 0

    def start(self) -> None:
        """Press play."""
        arm = self._arm
        own = natives(
            self.registers,
            {
                "movej": arm.stay, "movel": arm.stay, "get_actual_joint_positions": arm.joints,
                "get_standard_digital_in": arm.input, "set_standard_digital_out": arm.stay,
            },
        )  # fmt: skip
        program: Program

        async def carried(verb: int, place: int) -> int:
            await program.call("leave_safe_zone")
            result, confirmed = await arm.order(verb, place)
            program.memory["confirmed"] = confirmed
            await program.call("go_safe")
            return result

        async def load() -> int:
            return await carried(1, 0)

        async def unload(place: int) -> int:
            return await carried(2, place)

        async def home() -> int:
            program.memory["fault"] = 0
            return await carried(3, 0)

        program = Program(self._script, own, {"load": load, "unload": unload, "home": home})
        self.starts += 1
        self._running = asyncio.create_task(program.run(taught=True))

    async def stop(self) -> None:
        """Press stop, or stop protectively: the program ends where it is."""
        assert self._running
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    def problem(self) -> BaseException | None:
        """What the program ended with by itself."""
        assert self._running
        return self._running.exception() if self._running.done() and not self._running.cancelled() else None
