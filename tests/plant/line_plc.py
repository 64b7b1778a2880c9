"""A line PLC that runs the function block as `station integration export` writes it, call by call, in both roles.

The block is executed by `tests.plant.structured_text`. Around it stands what a PLC's engineer writes: how words come
and go, a sensor at the infeed, an operator who starts the cell and acknowledges alarms.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sim.modbus.slave import ExceptionCode, RefusedError
from sim.modbus.tcp_master import LinkError, TcpMaster
from sim.modbus.tcp_server import TcpServer, bind
from sim.proxy import TcpProxy
from tests.plant.structured_text import FunctionBlock

CYCLE_S, RECONNECT_S, REQUEST_S, SETTLED_S = 0.01, 0.1, 0.5, 1.0
"""A cycle of the program, and what it waits for; by the loop's time, which may be virtual."""
STATION, PLC, ACKNOWLEDGED = (0, 66), (98, 25), 104
DECISION_COMPLEMENT = 42
RESET, START, UNHOLD, CLEAR = 1, 2, 5, 9
WANTED = {2: RESET, 17: RESET, 4: START, 11: UNHOLD, 9: CLEAR}
"""What the operator does in each state that is not the line's."""


@dataclass(frozen=True)
class Seen:
    """What the block has told once: a decision, or a place."""

    part_id: str
    inspection: int
    decision: int
    place: int
    good: bool
    complement_fits: bool


class LinePlc:
    """The PLC's memory, its cycle and its connection.

    Args:
        text: The function block.
        serves: Whether the PLC has the registers.

    Attributes:
        infeed: Id and type of the part that the sensor sees, or None.
        told: All that the block has told of parts, in its order.
        doubts: Calls in which a result was not believed.
        answers: Commands that were answered: which, taken or not, and why not.
        runs: Whether the program is executed.
        cold_restarts: How often the program began anew without its memory.
        spoils: Whether the complement of results is spoilt, until the block has not believed one.
        on_seen: Told of what the block tells.
    """

    def __init__(self, text: str, *, serves: bool) -> None:
        self._serves = serves
        self._block = FunctionBlock(text, lambda: round(1000 * _now_s()))
        self._words = _Words([0] * STATION[1], [0] * PLC[1])
        self._link = _Link()
        self._operator = _Operator()
        self.infeed: tuple[str, int] | None = None
        self.told: list[Seen] = []
        self.doubts = 0
        self.runs = True
        self.spoils = False
        self.cold_restarts = 0
        self.on_seen: Callable[[Seen], None] = lambda _seen: None

    @property
    def calls(self) -> int:
        """How often the block was called."""
        return self._block.calls

    @property
    def answers(self) -> list[tuple[int, bool, int]]:
        """Of commands."""
        return self._operator.answers

    @property
    def decisions(self) -> list[Seen]:
        """What was told of parts on their way."""
        return [seen for seen in self.told if not seen.place]

    @property
    def places(self) -> list[Seen]:
        """What was told of parts that lie."""
        return [seen for seen in self.told if seen.place]

    def output(self, name: str) -> Any:
        """What the block says."""
        return self._block.memory[name]

    def restart(self, *, cold: bool = False) -> None:
        """The program begins anew; cold: with its retained memory empty as well."""
        self._block.restart()
        self.cold_restarts += cold
        if cold:
            self._block.memory |= {"lastInspection": 0, "lastPlace": 0}
        if self._serves:
            self._words.station[:] = [0] * STATION[1]
        self._link = _Link(broken=True)
        self._operator = _Operator(self._operator.answers)

    # ---- the cycle

    async def cycle(self) -> None:
        """Execute the program for ever."""
        while True:
            if self.runs:
                self._call()
            await asyncio.sleep(CYCLE_S)

    def _call(self) -> None:
        link = self._link
        self._block.call(
            fromStation=self._words.station, toStation=self._words.plc, stationServes=not self._serves,
            connected=self._serves or link.connected, heard=self._serves or link.heard,
            written=self._serves or link.written, acknowledgedKnown=link.acknowledged is not None,
            acknowledgedBefore=link.acknowledged or 0, permit=True, placesFull=0,
            partWaits=self.infeed is not None,
            partId=words_of(self.infeed[0]) if self.infeed else [0] * 8,
            partType=self.infeed[1] if self.infeed else 0,
            **self._operator.inputs(self._block.memory),
        )  # fmt: skip
        link.heard = link.written = False
        self._look()

    def _look(self) -> None:
        memory = self._block.memory
        self._operator.hear(memory)
        self.doubts += memory["resultDoubtful"]
        self.spoils = self.spoils and not memory["resultDoubtful"]
        if not (memory["newDecision"] or memory["newPlace"]):
            return
        result = memory["result"]
        decision, complement = self._words.station[DECISION_COMPLEMENT - 1], self._words.station[DECISION_COMPLEMENT]
        seen = Seen(
            text_of(result["partId"]), result["inspection"], result["decision"], result["confirmedPlace"],
            memory["good"], decision + complement == 65535 and decision == result["decision"],
        )  # fmt: skip
        self.told.append(seen)
        self.on_seen(seen)

    # ---- the PLC has the registers

    def read(self, kind: str, address: int, count: int) -> list[int]:
        """What the station reads."""
        for (first, length), words in ((STATION, self._words.station), (PLC, self._words.plc)):
            if kind == "holding" and first <= address <= address + count <= first + length:
                return words[address - first : address - first + count]
        raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS)

    def write(self, address: int, words: list[int]) -> None:
        """What the station writes."""
        if address + len(words) > STATION[1]:
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS)
        self._words.station[address : address + len(words)] = words
        if address <= DECISION_COMPLEMENT < address + len(words) and any(words):
            self._spoil()

    # ---- the station has them

    async def ask(self, host: str, port: int) -> None:
        """Read and write the station for ever."""
        while True:
            with contextlib.suppress(OSError, TimeoutError, LinkError):
                async with await TcpMaster.connect(host, port, 1, REQUEST_S) as station:
                    await self._exchange(station)
            self._link.connected = False
            await asyncio.sleep(RECONNECT_S)

    async def _exchange(self, station: TcpMaster) -> None:
        if self._link.broken:
            self._link.broken = False
        link = self._link
        while not link.broken:
            if not self.runs:
                await asyncio.sleep(CYCLE_S)
                continue
            if link.acknowledged is None:
                (link.acknowledged,) = await station.read_holding(ACKNOWLEDGED, 1)
            words = await station.read_holding(*STATION)
            self._words.station[:] = words
            link.connected = link.heard = True
            if words[DECISION_COMPLEMENT]:
                self._spoil()
            await asyncio.sleep(2 * CYCLE_S)  # the program has run meanwhile
            if self._block.memory["mayWrite"] and not link.broken:
                await station.write_holding(PLC[0], list(self._words.plc))
                link.written = True
            link = self._link

    def _spoil(self) -> None:
        number = self._words.station[50]
        if self.spoils and number and number != self._words.plc[ACKNOWLEDGED - PLC[0]]:
            self._words.station[DECISION_COMPLEMENT] ^= 0x0101


@dataclass(frozen=True, slots=True)
class _Words:
    """The PLC's registers: those that the station writes, and its own."""

    station: list[int]
    plc: list[int]


class _Link:
    """The connection to a station that has the registers, as the program's communication block sees it."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.connected = self.heard = self.written = False
        self.acknowledged: int | None = None


class _Operator:
    """Starts the cell when it stands still, and acknowledges alarms; each button is released before the next press."""

    def __init__(self, answers: list[tuple[int, bool, int]] | None = None) -> None:
        self.answers = answers if answers is not None else []
        self._command, self._pressed, self._alarm = 0, False, False
        self._state, self._since_s = 0, 0.0

    def inputs(self, memory: dict[str, Any]) -> dict[str, Any]:
        """Which buttons are pressed in this call."""
        now_s = _now_s()
        wanted = WANTED.get(memory["state"], 0)
        free = memory["ready"] and not memory["commandBusy"]
        if self._pressed:
            self._pressed = False
        elif wanted and free and (memory["state"] != self._state or now_s - self._since_s > SETTLED_S):
            self._command, self._pressed = wanted, True
            self._state, self._since_s = memory["state"], now_s
        unseen = memory["ready"] and not memory["alarmBusy"] and memory["alarmUnacknowledged"] > 0
        self._alarm = unseen and not self._alarm
        return {
            "command": self._command, "giveCommand": self._pressed, "giveAlarm": self._alarm, "alarmToAcknowledge": 0,
        }  # fmt: skip

    def hear(self, memory: dict[str, Any]) -> None:
        """Whether a command was answered."""
        if memory["commandAnswered"]:
            self.answers.append((self._command, memory["commandTaken"], memory["commandReason"]))


@contextlib.asynccontextmanager
async def working(plc: LinePlc, station_port: int | None) -> AsyncIterator[TcpProxy]:
    """The PLC while it works; the network between it and the station, which can be spoilt.

    Args:
        plc: The PLC.
        station_port: Where the station serves, or None where the PLC does.
    """
    outer, inner = bind("plc", "127.0.0.1", 0), bind("plc", "127.0.0.1", 0)
    server = TcpServer(plc, 1)  # type: ignore[arg-type]
    if station_port is None:
        address = inner.getsockname()[:2]
        await server.serve(inner)
    else:
        address = ("127.0.0.1", station_port)
        inner.close()
    network = TcpProxy(outer, address)
    tasks = [asyncio.create_task(plc.cycle())]
    if station_port is not None:
        tasks.append(asyncio.create_task(plc.ask(*network.address)))
    try:
        yield network
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await network.close()
        await server.close()


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def words_of(text: str) -> list[int]:
    """An id as eight words, filled with blanks."""
    raw = text.ljust(16).encode("ascii")
    return [raw[place] << 8 | raw[place + 1] for place in range(0, 16, 2)]


def text_of(words: Sequence[int]) -> str:
    """The id that these words hold."""
    return b"".join(word.to_bytes(2, "big") for word in words).rstrip(b"\0 ").decode("ascii")
