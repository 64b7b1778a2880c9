"""A Modbus server that does what a test tells it, word by word: over TCP, or as RTU slave at a pseudo-terminal.

It knows no register map and shares no code with what is tested.
"""

import asyncio
import os
import struct
import tty
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Conduct = Literal[
    "answer", "ignore", "swallow", "late", "garbage", "cut", "busy", "illegal", "other", "twice", "half",
    "begun", "lost", "no path", "no target", "failing", "failed",
]  # fmt: skip
"""What is done about one request: `ignore` neither does nor answers, `swallow` does and does not answer, `late`
answers when the next request comes, `cut` does and closes, `other` answers with one word too many."""

NOT_DONE: dict[Conduct, int] = {"busy": 6, "illegal": 2, "no path": 10, "no target": 11, "failing": 4}
"""Exceptions of who has not done it."""
DONE_ALL_THE_SAME: dict[Conduct, int] = {"begun": 5, "lost": 11, "failed": 4}
"""Exceptions of who has: a device that takes its time, a gateway whose device answered too late, one that broke."""


@dataclass
class Wire:
    """How the peer's frames come and go.

    `before` stands on a serial line before every answer, and where it `echoes`, the request does. `answers_as` is the
    unit that it gives as its own. `connections` were made so far; `owed` is an answer that comes with the next one.
    """

    before: bytes = b""
    echoes: bool = False
    answers_as: int | None = None
    connections: int = 0
    owed: bytes = b""

    def send(self, conduct: Conduct, frame: bytes, write: Callable[[bytes], None], cut: Callable[[], None]) -> None:
        """Answer as told."""
        write(self.owed)
        self.owed = b""
        if conduct in ("answer", "other"):
            write(frame)
        elif conduct == "twice":
            write(frame)
            write(frame)
        elif conduct == "late":
            self.owed = frame
        elif conduct == "garbage":
            write(b"\x15\x93" * 40)
        elif conduct == "half":
            write(frame[: len(frame) // 2])
        elif conduct == "cut":
            cut()


@dataclass
class Peer:
    """The registers, and how the next requests are treated; without an entry they are answered.

    `absent` are addresses that the device does not have: it answers exception 02.
    """

    input: list[int] = field(default_factory=lambda: [0] * 200)
    holding: list[int] = field(default_factory=lambda: [0] * 200)
    conduct: deque[Conduct] = field(default_factory=deque)
    write_conduct: deque[Conduct] = field(default_factory=deque)
    writes: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    reads: list[tuple[int, int, int]] = field(default_factory=list)
    absent: set[int] = field(default_factory=set)
    silent: bool = False
    beats: int | None = 10
    on_write: Callable[[int, tuple[int, ...]], None] = lambda _address, _words: None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    wire: Wire = field(default_factory=Wire)

    def treat(self, pdu: bytes) -> tuple[Conduct, bytes]:
        """What to do about a request, and its proper answer."""
        function, address, count = struct.unpack(">BHH", pdu[:5])
        conduct = self._conduct(function)
        if conduct in NOT_DONE or self.absent.intersection(range(address, address + count)):
            return "answer", bytes((function | 0x80, NOT_DONE.get(conduct, 2)))
        if function == 16:
            words = struct.unpack(f">{count}H", pdu[6:])
            if conduct != "ignore":
                self.writes.append((address, words))
                self.holding[address : address + count] = words
                self.on_write(address, words)
            if conduct in DONE_ALL_THE_SAME:
                return "answer", bytes((function | 0x80, DONE_ALL_THE_SAME[conduct]))
            return conduct, struct.pack(">BHH", 16, address, count)
        self.reads.append((function, address, count))
        self.asked.set()
        if self.beats is not None:
            self.input[self.beats] = (self.input[self.beats] + 1) % 65536
        words = tuple({3: self.holding, 4: self.input}[function][address : address + count])
        words += (0,) * (conduct == "other")
        return conduct, struct.pack(f">BB{len(words)}H", function, 2 * len(words), *words)

    def _conduct(self, function: int) -> Conduct:
        if self.silent:
            return "ignore"
        if function == 16 and self.write_conduct:
            return self.write_conduct.popleft()
        return self.conduct.popleft() if self.conduct else "answer"


class TcpPeer:
    """A peer at a TCP port that survives its being taken off the network."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.port = 0
        self._server: asyncio.Server | None = None
        self._sessions: dict[asyncio.Task[object], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Listen, at the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and cut all connections."""
        if self._server:
            self._server.close()
            for writer in self._sessions.values():
                writer.transport.abort()
            if self._sessions:
                await asyncio.wait(self._sessions)
            await self._server.wait_closed()
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peer.wire.connections += 1
        task = asyncio.current_task()
        assert task
        self._sessions[task] = writer
        try:
            while True:
                number, _, length, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                conduct, answer = self.peer.treat(await reader.readexactly(length - 1))
                unit = unit if self.peer.wire.answers_as is None else self.peer.wire.answers_as
                frame = struct.pack(">HHHB", number, 0, len(answer) + 1, unit) + answer
                self.peer.wire.send(conduct, frame, writer.write, writer.transport.abort)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            del self._sessions[task]
            writer.close()


def crc(data: bytes) -> bytes:
    """The checksum of an RTU frame."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ 0xA001 if register & 1 else register >> 1
    return struct.pack("<H", register)


class RtuPeer:
    """A peer with unit id 1 at a pseudo-terminal, whose path is `device`."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self._master, self._slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        self.device = os.ttyname(self._slave)
        self._buffer = b""
        asyncio.get_running_loop().add_reader(self._master, self._receive)

    def stop(self) -> None:
        """Hang up."""
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)

    def _receive(self) -> None:
        self._buffer += os.read(self._master, 256)
        size = 9 + self._buffer[6] if len(self._buffer) > 6 and self._buffer[1] == 16 else 8
        if len(self._buffer) < size:
            return
        frame, self._buffer = self._buffer[:size], b""
        assert crc(frame[:-2]) == frame[-2:]
        conduct, answer = self.peer.treat(frame[1:-2])
        reply = (frame[:1] if self.peer.wire.answers_as is None else bytes((self.peer.wire.answers_as,))) + answer
        echo = frame if self.peer.wire.echoes else b""
        if conduct == "ignore":
            self._write(echo)
        self.peer.wire.send(conduct, echo + self.peer.wire.before + reply + crc(reply), self._write, lambda: None)

    def _write(self, data: bytes) -> None:
        if data:
            os.write(self._master, data)
