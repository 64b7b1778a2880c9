"""A TCP proxy that can spoil what passes between a client and a server, for real sockets on both sides.

The mode can be switched while connections are open; it holds for those too. Bytes that were swallowed stay swallowed.
"""

import asyncio
import socket
import struct
from collections.abc import Coroutine
from enum import StrEnum
from random import Random

CHUNK = 4096
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Mode(StrEnum):
    """What the proxy does."""

    PASS = "pass"  # noqa: S105  # no password
    REFUSE = "refuse"
    RESET = "reset"
    HALF_OPEN = "half_open"
    DELAY = "delay"
    SPLIT = "split"
    GARBAGE = "garbage"
    DROP_REPLY = "drop_reply"
    REPEAT_REPLY = "repeat_reply"

    @property
    def meaning(self) -> str:
        """What that is."""
        return _MEANINGS[self]


_MEANINGS = {
    Mode.PASS: "everything passes",
    Mode.REFUSE: "nobody listens, and open connections are reset",
    Mode.RESET: "open connections are reset, and new ones as soon as something is sent",
    Mode.HALF_OPEN: "connections are accepted, and what is sent, both ways, is swallowed",
    Mode.DELAY: "each reply comes late",
    Mode.SPLIT: "replies come byte by byte",
    Mode.GARBAGE: "replies are random bytes, as many as there were",
    Mode.DROP_REPLY: "requests pass, replies are swallowed",
    Mode.REPEAT_REPLY: "each reply comes twice",
}


class TcpProxy:
    """Listens in front of a server; whatever is written in one go counts as one request or reply.

    Args:
        listening: Socket to listen at; the proxy closes it, and opens it anew at the same address after REFUSE.
        target: Host and port of the server.
        delay_s: By how much DELAY holds a reply back.
        seed: Of the garbage.
    """

    def __init__(
        self, listening: socket.socket, target: tuple[str, int], *, delay_s: float = 0.05, seed: int = 0
    ) -> None:
        host, port = listening.getsockname()[:2]
        self.address: tuple[str, int] = (str(host), int(port))
        self.mode = Mode.PASS
        self._target = target
        self._delay_s = delay_s
        self._random = Random(seed)  # noqa: S311  # garbage needs to be repeatable, not secret
        self._replies_left: int | None = None
        self._connections: dict[asyncio.Task[None], tuple[socket.socket, socket.socket]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._listen(listening)

    def switch(self, mode: Mode, replies: int | None = None) -> None:
        """Change the mode, at once and for all connections.

        Args:
            mode: The new one.
            replies: After so many replies the mode is PASS again; None for no such end.

        Raises:
            OSError: Another program has taken the port meanwhile.
        """
        self.mode, self._replies_left = mode, replies
        if mode in (Mode.REFUSE, Mode.RESET):
            self.cut()
        if mode is Mode.REFUSE:
            self._deafen()
        elif self._listening is None:
            family = socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET
            self._listen(socket.create_server(self.address, family=family))

    def cut(self) -> None:
        """Reset every open connection, on both sides; clients may connect again."""
        for serving, ends in tuple(self._connections.items()):
            _harden(*ends)
            serving.cancel()

    async def close(self) -> None:
        """Stop listening, and reset every connection."""
        self._deafen()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---- connections ----

    def _listen(self, listening: socket.socket) -> None:
        listening.setblocking(False)
        self._listening = listening
        self._accepting = self._start(self._accept(listening))

    def _deafen(self) -> None:
        if self._listening is not None and self._accepting is not None:
            self._accepting.cancel()
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
            self._listening = None

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listening)
            server = socket.socket(socket.AF_INET6 if ":" in self._target[0] else socket.AF_INET)
            for end in (client, server):
                end.setblocking(False)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            serving = self._start(self._serve(client, server))
            self._connections[serving] = (client, server)
            serving.add_done_callback(self._hang_up)

    def _hang_up(self, serving: asyncio.Task[None]) -> None:
        for end in self._connections.pop(serving):
            end.close()

    async def _serve(self, client: socket.socket, server: socket.socket) -> None:
        """Pass everything on until one side ends, or breaks: the other one sees that too."""
        try:
            await asyncio.get_running_loop().sock_connect(server, self._target)
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump_requests(client, server))
                pumps.create_task(self._pump_replies(server, client))
        except* _Ended:
            pass
        except* OSError:
            _harden(client, server)

    async def _pump_requests(self, client: socket.socket, server: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(client, CHUNK):
            if self.mode is Mode.RESET:
                raise ConnectionResetError
            if self.mode is not Mode.HALF_OPEN:
                await loop.sock_sendall(server, data)
        raise _Ended

    async def _pump_replies(self, server: socket.socket, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(server, CHUNK):
            mode = self.mode
            self._count_reply()
            if mode is Mode.DELAY:
                await asyncio.sleep(self._delay_s)
            for piece in self._spoilt(mode, data):
                await loop.sock_sendall(client, piece)
                await asyncio.sleep(0)
        raise _Ended

    def _spoilt(self, mode: Mode, reply: bytes) -> list[bytes]:
        """What the client gets of a reply, piece by piece."""
        match mode:
            case Mode.HALF_OPEN | Mode.DROP_REPLY:
                return []
            case Mode.SPLIT:
                return [bytes((byte,)) for byte in reply]
            case Mode.GARBAGE:
                return [self._random.randbytes(len(reply))]
            case Mode.REPEAT_REPLY:
                return [reply, reply]
            case _:
                return [reply]

    def _count_reply(self) -> None:
        if self._replies_left is not None:
            self._replies_left -= 1
            if self._replies_left == 0:
                self.mode, self._replies_left = Mode.PASS, None

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class _Ended(Exception):  # noqa: N818  # no error
    """One side has ended the connection in order."""


def _harden(*ends: socket.socket) -> None:
    """Let the peers of these sockets see a reset when they are closed."""
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
