"""The cell on fakes, but with the real driver of the line PLC, and at a real socket a PLC whose words a test has."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress

from station.cell.packml import Command, State
from station.core.clock import Clock
from station.core.ports.records import PartLedger
from station.core.settings import PlcSettings, Settings
from tests.cell.bench import Bench, running, settings
from tests.cell.plc_words import RESULT_SEQUENCE, STATE_CURRENT, STOP_REASON, PlcWords
from tests.contract.fake_camera import Misfortune
from tests.housings import line_plc
from tests.wire.modbus_peer import Peer, TcpPeer

PLC_MAGIC, PERMISSION, COMMAND, RESULT_ACKNOWLEDGED, ALARM_ACKNOWLEDGE = 99, 101, 102, 104, 105
NEXT_PART_ID, NEXT_PART_TYPE, BINS_FULL = 110, 118, 122
MAGIC = 0xA55A
BEAT_S = 0.02
QUICK = {"heartbeat_s": 0.1, "stale_after_s": 2.0, "result_timeout_s": 1.0}


class WiredLine:
    """A line PLC whose registers the station polls and writes; it acknowledges every result while `acknowledges`."""

    def __init__(self) -> None:
        self.words = PlcWords()
        self._peer = Peer(beats=None, on_write=self._on_write)
        self._peer.holding[98 : PERMISSION + 1] = [1, MAGIC, 0, 1]
        self._server = TcpPeer(self._peer)
        self._heart: asyncio.Task[None] | None = None
        self._sequence = 0
        self.acknowledges = self.beats = True

    async def start(self) -> int:
        """Serve, and let the heart beat; the port."""
        await self._server.start()
        self._heart = asyncio.create_task(self._beat())
        return self._server.port

    async def stop(self) -> None:
        """End both."""
        if self._heart:
            self._heart.cancel()
            with suppress(asyncio.CancelledError):
                await self._heart
        await self._server.stop()

    def say(self, address: int, *words: int) -> None:
        """Set some of the PLC's own registers."""
        self._peer.holding[address : address + len(words)] = words

    def announce(self, part_id: str, type_code: int) -> int:
        """A part waits at the infeed; the number of its announcement."""
        return self.announce_words(part_id.encode("ascii").ljust(16, b"\0"), type_code)

    def announce_words(self, part_id: bytes, type_code: int) -> int:
        """The same with any 16 bytes for the id."""
        self._sequence += 1
        self.say(NEXT_PART_ID, *struct.unpack(">8H", part_id), type_code, self._sequence)
        return self._sequence

    def command(self, code: int) -> int:
        """Send a PackML command; its number."""
        self._sequence += 1
        self.say(COMMAND, code, self._sequence)
        return self._sequence

    def acknowledge(self, fault_number: int) -> int:
        """An operator at the PLC acknowledges an alarm; the number of that."""
        self._sequence += 1
        self.say(ALARM_ACKNOWLEDGE, fault_number, self._sequence)
        return self._sequence

    def fill(self, place_codes: Iterable[int]) -> None:
        """These places, and no others, are full."""
        self.say(BINS_FULL, sum(1 << (code - 1) for code in place_codes))

    def _on_write(self, address: int, words: tuple[int, ...]) -> None:
        self.words.wrote(address, words)
        if self.acknowledges:
            self.acknowledge_result()

    def acknowledge_result(self) -> None:
        """The result that stands there was read."""
        self.say(RESULT_ACKNOWLEDGED, self.words[RESULT_SEQUENCE])

    async def _beat(self) -> None:
        beat = 0
        while True:
            beat = beat % 65535 + 1
            if self.beats:
                self.say(100, beat)
            await asyncio.sleep(BEAT_S)


class WiredBench:
    """The bench, its line, and what a person does."""

    def __init__(self, cell: Bench, line: WiredLine) -> None:
        self.cell, self.line, self.words = cell, line, line.words

    def feed(self, part_id: str) -> None:
        """A part comes to the infeed, and the PLC announces it."""
        self.cell.feed(part_id)

    def place_of(self, part_id: str) -> list[str]:
        """The places where the part was laid down: one, unless a rule is broken."""
        return [place for moved, place in self.cell.floor.sorted_parts if moved == part_id]

    def records_of(self, part_id: str) -> list[str]:
        """The states of the part's records."""
        entries = self.cell.ledger.entries.values()
        return [entry.state for entry in entries if entry.inspection.part.part_id == part_id]

    async def command(self, command: Command, *states: State) -> State:
        """An operator commands; the state, of these, that the cell comes to."""
        self.cell.give(command)
        return await self.cell.desk.reached(*states)

    async def seen(self, condition: Callable[[PlcWords], object]) -> None:
        """Wait until the PLC's registers show it."""
        await patiently(lambda: condition(self.words))

    async def held_for(self, reason_code: int) -> None:
        """The PLC reads that the cell is Held, and for what reason."""
        await self.seen(lambda words: words[STATE_CURRENT] == State.HELD and words[STOP_REASON] == reason_code)

    async def passes(self, part_id: str) -> None:
        """One more part is judged and sorted as if nothing had been, and the PLC sees the cell run."""
        self.feed(part_id)
        await self.seen(lambda words: any(result.confirmed for result in words.results_of(part_id)))
        assert self.place_of(part_id) == ["second_inspection"]
        await self.seen(lambda words: words[STATE_CURRENT] == State.EXECUTE)


async def patiently(condition: Callable[[], object]) -> None:
    """Wait for what other tasks and sockets do; the bench's own deadline ends it."""
    while not condition():  # noqa: ASYNC110  # fakes and peers have no events to wait for
        await asyncio.sleep(0.002)


@asynccontextmanager
async def wired(
    configuration: Settings | None = None,
    misfortunes: Sequence[Misfortune] = (),
    ledger: PartLedger | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[WiredBench]:
    """A running cell, not yet reset, and the line PLC that it is connected with."""
    configuration, line = configuration or settings(), WiredLine()
    port = await line.start()
    link = {"kind": "tcp", "port": port, "request_timeout_s": 1.0, "reconnect_s": 0.05, "poll_s": 0.002}
    plc = line_plc(PlcSettings.model_validate({**QUICK, "role": "client", "link": link}))
    try:
        async with running(configuration, misfortunes, ledger=ledger, clock=clock, plc=plc) as cell:
            cell.line = line
            await patiently(lambda: plc.feed.view.fault is None)
            yield WiredBench(cell, line)
    finally:
        await line.stop()
