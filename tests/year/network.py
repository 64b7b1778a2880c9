"""Networks in memory between the station and the devices: every piece of every stream has its own seeded fate.

Bytes of one stream keep their order, as TCP's do. What differs is when they come, in which pieces, and whether the
connection breaks before they have. What a link does to answers, a `sim.proxy.TcpProxy` does to real sockets; the modes
are the same, and two more: an answer under another transaction number, and one whose request came twice.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from random import Random
from typing import Any

from sim.proxy import Mode
from tests.year.loop import OWNER

LATE_S = 0.05
ORDER_S = 1e-6
"""Between two pieces of a stream, so that they keep their order."""
FOREIGN, TWICE = "foreign_reply", "request_twice"


class Weather:
    """How the network is at the moment, and its chances.

    Attributes:
        chance: Where everything is drawn from.
        torn, broken, slow: Shares of pieces that come in two parts, that break their connection, that come late.
    """

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.torn, self.broken, self.slow = 0.02, 0.0, 0.01

    def delay_s(self) -> float:
        """How long the next piece is under way."""
        if self.chance.random() < self.slow:
            return self.chance.uniform(0.005, 0.12)
        return self.chance.uniform(0.0001, 0.0008)


class Link:
    """The network before one device; its faults are those of a `TcpProxy`.

    Args:
        name: Of the device.
        weather: Chances.
    """

    def __init__(self, name: str, weather: Weather) -> None:
        self.name = name
        self.mode: str = Mode.PASS
        self.weather = weather
        self.make: Callable[[], asyncio.Protocol] | None = None
        self.context = copy_context()
        self._replies_left: int | None = None
        self._connections: list[Connection] = []

    def switch(self, mode: str, replies: int | None = None) -> None:
        """Change the mode, at once and for all connections; after so many replies it is PASS again."""
        self.mode, self._replies_left = mode, replies
        if mode in (Mode.REFUSE, Mode.RESET):
            self.cut()

    def cut(self) -> None:
        """Reset every open connection, on both sides."""
        for connection in tuple(self._connections):
            connection.reset()

    def open(self, client: asyncio.Protocol) -> "Connection":
        """Connect a client to the device."""
        if self.mode == Mode.REFUSE or self.make is None:
            raise ConnectionRefusedError(111, "nobody listens")
        connection = Connection(self, client, self.make(), OWNER.get())
        self._connections.append(connection)
        return connection

    def gone(self, connection: "Connection") -> None:
        """A connection is over."""
        if connection in self._connections:
            self._connections.remove(connection)

    def of(self, owner: object) -> list["Connection"]:
        """The connections of a life."""
        return [one for one in self._connections if one.owner is owner]

    def requests(self, data: bytes) -> list[bytes]:
        """What the device gets of a request."""
        if self.mode == Mode.HALF_OPEN:
            return []
        if self.mode == TWICE:
            self._count()
            return [data, data]
        return [data]

    def replies(self, data: bytes) -> list[bytes]:
        """What the station gets of a reply."""
        mode = self.mode
        if mode != TWICE:
            self._count()
        match mode:
            case Mode.HALF_OPEN | Mode.DROP_REPLY:
                return []
            case Mode.SPLIT:
                return [bytes((byte,)) for byte in data]
            case Mode.GARBAGE:
                return [self.weather.chance.randbytes(len(data))]
            case Mode.REPEAT_REPLY:
                return [data, data]
            case "foreign_reply":
                return [bytes((data[0] ^ 0x55,)) + data[1:]]
            case _:
                return [data]

    def delay_s(self, *, reply: bool) -> float:
        """How long the next piece is under way."""
        late = LATE_S if reply and self.mode == Mode.DELAY else 0.0
        return late + self.weather.delay_s()

    def _count(self) -> None:
        if self._replies_left is not None:
            self._replies_left -= 1
            if self._replies_left == 0:
                self.mode, self._replies_left = Mode.PASS, None


class Connection:
    """Two ends, and what is under way between them.

    Args:
        link: The network.
        client, server: The protocols.
        owner: The life whose connection it is.
    """

    def __init__(self, link: Link, client: asyncio.Protocol, server: asyncio.Protocol, owner: object) -> None:
        self.link = link
        self.owner = owner
        self.open = True
        self.there = End(self, server, link.context)
        self.here = End(self, client, copy_context())
        self.there.peer, self.here.peer = self.here, self.there

    def reset(self) -> None:
        """Both ends see that it is broken."""
        if self.open:
            self.open = False
            self.link.gone(self)
            for end in (self.here, self.there):
                end.lose(ConnectionResetError(104, "reset"))

    def vanish(self, *, told: bool) -> None:
        """The station's end is no more: what it has not sent yet is never sent.

        Args:
            told: Whether the device sees the end, as of a process that was killed; not of a computer without power.
        """
        self.here.deaf = True
        if told:
            self.there.lose(ConnectionResetError(104, "reset"))
            self.open = False
            self.link.gone(self)


class End(asyncio.Transport):
    """One end of a connection; a transport."""

    def __init__(self, connection: Connection, protocol: asyncio.Protocol, context: Context) -> None:
        super().__init__()
        self.context = context
        self._connection = connection
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._due_s = 0.0
        self._closing = self._lost = self.deaf = False
        self.peer: End

    def write(self, data: bytes) -> None:  # type: ignore[override]
        """Send; in one piece or two, soon or late, or the connection breaks."""
        connection, link = self._connection, self._connection.link
        if self._closing or self._lost or self.deaf or not connection.open:
            return
        reply = self is connection.there
        pieces = link.replies(data) if reply else link.requests(data)
        weather = link.weather
        for piece in pieces:
            fate = weather.chance.random()
            if fate < weather.broken:
                cut = weather.chance.randrange(len(piece) + 1)
                self._send(piece[:cut], reply=reply)
                self._loop.call_at(self._due_s, connection.reset)
                return
            if fate < weather.broken + weather.torn and len(piece) > 1:
                cut = weather.chance.randrange(1, len(piece))
                self._send(piece[:cut], reply=reply)
                piece = piece[cut:]  # noqa: PLW2901
            self._send(piece, reply=reply)

    def _send(self, piece: bytes, *, reply: bool) -> None:
        if piece:
            self._due_s = max(self._due_s + ORDER_S, self._loop.time() + self._connection.link.delay_s(reply=reply))
            self._loop.call_at(self._due_s, self.peer.receive, piece, context=self.peer.context)

    def receive(self, data: bytes) -> None:
        """What the other end has sent is here."""
        if not (self._lost or self._closing or self.deaf):
            self._protocol.data_received(data)

    def begin(self) -> None:
        """Tell the protocol that it is connected."""
        self._protocol.connection_made(self)

    def lose(self, error: Exception | None) -> None:
        """Tell the protocol that it is not connected any more."""
        if not self._lost:
            self._lost = True
            self._loop.call_soon(self._protocol.connection_lost, error, context=self.context)

    def close(self) -> None:
        """Close; what is under way still comes, and then the other end sees it."""
        if self._closing:
            return
        self._closing = True
        self.lose(None)
        connection = self._connection
        due_s = max(self._due_s, self._loop.time() + connection.link.delay_s(reply=False))
        self._loop.call_at(due_s, self._hang_up)

    def abort(self) -> None:
        """Close at once."""
        self.close()

    def _hang_up(self) -> None:
        connection = self._connection
        if self.deaf:
            return
        connection.open = False
        connection.link.gone(connection)
        self.peer.lose(None)

    def is_closing(self) -> bool:
        """Whether it is closed or being closed."""
        return self._closing or self._lost

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """The addresses."""
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else default


class Server:
    """What `loop.create_server` gives."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def close(self) -> None:
        """Listen no more."""
        self._link.make = None

    async def wait_closed(self) -> None:
        """It is."""


class Network:
    """All links, by port; nothing else can be reached.

    Args:
        weather: Chances.
    """

    def __init__(self, weather: Weather) -> None:
        self.weather = weather
        self.links = {name: Link(name, weather) for name in ("robot", "jig", "plc")}
        self.strangers: list[str] = []

    def port_of(self, name: str) -> int:
        """Where the station finds a device."""
        return 1 + list(self.links).index(name)

    async def connect(self, make: Callable[[], asyncio.Protocol], host: str, port: int) -> Any:
        """A new connection."""
        names = list(self.links)
        if host != "127.0.0.1" or not 1 <= port <= len(names):
            self.strangers.append(f"{host}:{port}")
            raise ConnectionRefusedError(111, "nobody is there")
        link = self.links[names[port - 1]]
        await asyncio.sleep(link.delay_s(reply=False))
        client = make()
        connection = link.open(client)
        link.context.run(connection.there.begin)
        connection.here.begin()
        return connection.here, client

    def listen(self, make: Callable[[], asyncio.Protocol], where: Link) -> Server:
        """A device's server behind its link."""
        where.make, where.context = make, copy_context()
        return Server(where)

    def cut_off(self, owner: object, *, told: bool) -> None:
        """A life has ended: its ends are no more."""
        for link in self.links.values():
            for connection in link.of(owner):
                connection.vanish(told=told)
