"""A robot whose registers lie elsewhere, over a real socket: orders, status, a profile that it does not keep."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers.modbus.profile import Profile, load_profile
from drivers.modbus.proof import prove_map
from drivers.modbus.register_map import laid, load_map
from drivers.robot import ModbusRobot
from sim.devices.bank import RegisterBank
from sim.modbus.slave import ExceptionCode, RefusedError
from sim.modbus.tcp_server import TcpServer, bind
from station.core.errors import RobotError
from station.core.part import Order
from station.core.settings import RobotSettings, TcpLink
from tests.housings import INSPECTED

UR = "universal_robots"
MAP_WORDS = [1, 0xA55A, 0x47F1, 0x2000, 0x1234, 0x5678]
FIRST = 128


class Controller:
    """Registers 128 to 255 of a controller, all of them holding registers, whose program ends every order at once.

    It knows no map: the addresses are typed in.
    """

    def __init__(self, most: int = 125) -> None:
        self.words = [0] * 128
        self.words[160 - FIRST : 166 - FIRST] = MAP_WORDS
        self.words[172 - FIRST] = 1  # in the safe zone
        self.orders: list[tuple[int, int]] = []
        self._most = most

    def read(self, kind: str, address: int, count: int) -> list[int]:
        """As the controller answers."""
        if count > self._most:
            raise RefusedError(ExceptionCode.ILLEGAL_VALUE)
        if kind != "holding" or not FIRST <= address <= address + count <= 256:
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS)
        self.words[170 - FIRST] = self.words[170 - FIRST] % 65535 + 1
        return self.words[address - FIRST : address - FIRST + count]

    def write(self, address: int, words: list[int]) -> None:
        """As the controller takes it."""
        if not FIRST <= address <= address + len(words) <= 160:
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS)
        self.words[address - FIRST : address - FIRST + len(words)] = words
        verb, place, number = self.words[0:3]
        if number and number != self.words[180 - FIRST]:
            self.orders.append((verb, place))
            self.words[180 - FIRST : 184 - FIRST] = [number, number, 1, place]


@asynccontextmanager
async def serving(controller: object) -> AsyncIterator[TcpLink]:
    server = TcpServer(controller, 1)  # type: ignore[arg-type]
    listening = bind("robot.link", "127.0.0.1", 0)
    await server.serve(listening)
    try:
        yield TcpLink(kind="tcp", port=listening.getsockname()[1], poll_s=0.005, reconnect_s=0.1)
    finally:
        await server.close()


def robot(link: TcpLink, profile: Profile) -> ModbusRobot:
    return ModbusRobot(RobotSettings(link=link), laid(load_map("robot", INSPECTED), profile))


async def test_orders_and_status_go_through_the_registers_that_a_universal_robot_has_free() -> None:
    controller = Controller()
    async with serving(controller) as link:
        arm = robot(link, load_profile(UR))
        await arm.connect()
        try:
            receipt = await arm.unload(Order("robot", 7, "unload", 3))
            status = await arm.status()
            proof = await prove_map(link, laid(load_map("robot", INSPECTED), load_profile(UR)))
        finally:
            await arm.close()
    assert controller.orders == [(2, 3)]
    assert receipt.confirmed == 3
    assert (status.in_safe_zone, status.last_order) == (True, 7)
    assert proof == "holding 160 to 183 hold what the map says; holding 128 to 138 keep what is written"


async def test_a_device_that_serves_fewer_registers_than_its_profile_says_is_refused_at_start() -> None:
    async with serving(Controller(most=10)) as link:
        arm = robot(link, load_profile(UR))
        with pytest.raises(RobotError, match="gives fewer than 14 registers in one request, lower read_most") as caught:
            await arm.connect()
        await arm.close()
    assert caught.value.code == "robot.wrong_map"


async def test_a_shorter_block_and_no_gaps_reach_the_same_device() -> None:
    controller = Controller(most=6)
    apart = load_profile(UR).model_copy(update={"gaps": "never", "write_most": 3})
    async with serving(controller) as link:
        arm = robot(link, apart)
        await arm.connect()
        await arm.close()
        assert controller.words[138 - FIRST] > 0, "the station's beat"


async def test_a_write_goes_in_pieces_and_its_number_last() -> None:
    class Slow(Controller):
        def __init__(self) -> None:
            super().__init__()
            self.pieces: list[tuple[int, int]] = []

        def write(self, address: int, words: list[int]) -> None:
            self.pieces.append((address, len(words)))
            super().write(address, words)

    controller = Slow()
    two = load_profile(UR).model_copy(update={"write_most": 2})
    async with serving(controller) as link:
        arm = robot(link, two)
        await arm.connect()
        try:
            await arm.load(Order("robot", 5, "load", 0))
        finally:
            await arm.close()
    assert [piece for piece in controller.pieces if piece[0] != 138][:2] == [(128, 2), (130, 1)]
    assert controller.orders == [(1, 0)]


async def test_the_proof_tells_of_a_beat_that_went_elsewhere() -> None:
    controller = Controller()
    async with serving(controller) as link:
        with pytest.raises(RobotError, match="station_heartbeat at holding 138 is 0, although the station has written"):
            await prove_map(link, laid(load_map("robot", INSPECTED), load_profile(UR)))


async def test_the_proof_tells_of_registers_that_hold_what_they_cannot() -> None:
    controller = Controller()
    controller.words[171 - FIRST] = 7
    async with serving(controller) as link:
        with pytest.raises(RobotError, match="busy: 7 is neither 0 nor 1"):
            await prove_map(link, laid(load_map("robot", INSPECTED), load_profile(UR)))


async def test_a_device_whose_orders_cannot_be_read_back_is_no_problem() -> None:
    class Mute(Controller):
        def read(self, kind: str, address: int, count: int) -> list[int]:
            if address < 160:
                raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS)
            return super().read(kind, address, count)

    async with serving(Mute()) as link:
        proof = await prove_map(link, laid(load_map("robot", INSPECTED), load_profile(UR)))
    assert "holding 128 to 138 cannot be read back" in proof


async def test_the_proof_of_a_device_that_falls_silent_is_that_it_does() -> None:
    class Falling(Controller):
        def read(self, kind: str, address: int, count: int) -> list[int]:
            if address < 160:
                raise RefusedError(ExceptionCode.BUSY)
            return super().read(kind, address, count)

    async with serving(Falling()) as link:
        with pytest.raises(RobotError) as caught:
            await prove_map(link, laid(load_map("robot", INSPECTED), load_profile(UR)))
    assert caught.value.code == "robot.unreachable"


def test_the_simulated_devices_keep_to_their_profile() -> None:
    strict = Profile.model_validate({"description": "x", "read_most": 16, "write_most": 3, "gaps": "never"})
    bank = RegisterBank(laid(load_map("robot", INSPECTED), strict))
    assert bank.read("input", 10, 5)[2] == 0
    for address, count, code in ((0, 17, ExceptionCode.ILLEGAL_VALUE), (10, 6, ExceptionCode.ILLEGAL_ADDRESS)):
        with pytest.raises(RefusedError) as caught:
            bank.read("input", address, count)
        assert caught.value.code is code
    with pytest.raises(RefusedError) as caught:
        bank.check(0, [0, 0, 0, 0])
    assert caught.value.code is ExceptionCode.ILLEGAL_VALUE
