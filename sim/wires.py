"""The wires of the simulated cell: listening sockets, the jig's serial line, and the networks that faults can spoil."""

import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from drivers.modbus.silence import byte_s
from sim.breakage import Effect
from sim.devices.plc import ANY_HOST
from sim.effects import line_effects, network_effects
from sim.modbus.rtu_line import RtuLine
from sim.modbus.slave import Slave
from sim.modbus.tcp_server import TcpServer, bind
from sim.proxy import TcpProxy
from sim.report import Listening
from station.core.settings import Settings, TcpLink, expand

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Slaves:
    """The devices that answer."""

    robot: Slave
    jig: Slave
    plc: Slave


class Wires:
    """Everything between the devices and the station; ended with the stack.

    Args:
        settings: Addresses.
        stack: Takes what has to be closed.

    Attributes:
        effects: What the wires' faults do.
        impossible: Faults that these wires cannot have, and why.
        plc_link: Where a PLC that is a client finds the station.

    Raises:
        ConfigError: A port is in use.
    """

    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        self._settings = settings
        self._stack = stack
        self._sockets: dict[str, socket.socket] = {}
        self._outside: dict[str, tuple[str, int]] = {}
        self.effects: dict[str, Effect] = {}
        self.impossible: dict[str, str] = {}
        self.plc_link = settings.plc.link
        links = {"robot": settings.robot.link, "jig": settings.jig.link}
        if settings.plc.role == "client":
            links["plc"] = settings.plc.link
        if isinstance(settings.jig.link, TcpLink):
            self.impossible["jig-noise"] = "noise is a serial line's, and the jig is reached over TCP"
        for name, link in links.items():
            if isinstance(link, TcpLink):
                self._sockets[name] = self._bind(f"{name}.link", link.host, link.port)

    def put_networks_between(self) -> None:
        """Lead the station's TCP connections through a network that faults can spoil."""
        for name in ("robot", "jig", "plc"):
            if name in self._sockets:
                inner = self._bind(name, LOOPBACK, 0)
                self._outside[name] = _address(self._sockets[name])
                self._network(name, self._sockets[name], _address(inner))
                self._sockets[name] = inner
        if self._settings.plc.role == "server":
            link = self.plc_link
            outer = self._bind("plc", LOOPBACK, 0)
            self._network("plc", outer, (ANY_HOST.get(link.host, link.host), link.port))
            host, port = _address(outer)
            self.plc_link = link.model_copy(update={"host": host, "port": port})

    async def serve(self, slaves: Slaves, scene: str, on_link: Callable[[str, str], None]) -> Listening:
        """Let the devices answer from now on; where the station finds them.

        Args:
            slaves: The devices.
            scene: Name of the scene, for whoever reads where all is.
            on_link: Told of the link to the jig's terminal, and where it leads.

        Raises:
            ConfigError: The link to the jig's terminal cannot be made.
        """
        where = {name: _address(listening) for name, listening in self._sockets.items()} | self._outside
        for name, listening in self._sockets.items():
            server = TcpServer(getattr(slaves, name), getattr(self._settings, name).link.unit)
            self._stack.push_async_callback(server.close)
            await server.serve(listening)
        jig: str | tuple[str, int] = where.get("jig", "")
        terminal = ""
        link = self._settings.jig.link
        if not isinstance(link, TcpLink):
            line = RtuLine(slaves.jig, link.unit, byte_s(link))
            self._stack.callback(line.close)
            jig = expand(link.device)
            terminal = line.open(Path(jig))
            on_link(jig, line.target)
            self.effects.update(line_effects(line))
        plc = where.get("plc", (self._settings.plc.link.host, self._settings.plc.link.port))
        return Listening(where["robot"], jig, plc, self._settings.plc.role, terminal, scene)

    def _network(self, name: str, outer: socket.socket, inner: tuple[str, int]) -> None:
        network = TcpProxy(outer, inner)
        self._stack.push_async_callback(network.close)
        self.effects.update(network_effects(name, network))

    def _bind(self, key: str, host: str, port: int) -> socket.socket:
        listening = bind(key, host, port)
        self._stack.callback(listening.close)
        return listening


def _address(listening: socket.socket) -> tuple[str, int]:
    host, port = listening.getsockname()[:2]
    return str(host), int(port)
