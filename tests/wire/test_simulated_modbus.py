"""The simulated devices' own Modbus: bytes on a socket and on a terminal, typed in from the specification."""

import asyncio
import os
import struct
import tty
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.modbus.register_map import Kind
from drivers.modbus.silence import byte_s
from sim.modbus.rtu_line import RtuLine, crc
from sim.modbus.slave import ExceptionCode, RefusedError
from sim.modbus.tcp_master import LinkError, TcpMaster
from sim.modbus.tcp_server import TcpServer, bind
from station.core.errors import ConfigError
from station.core.settings import RtuLink

UNIT = 1


class Words:
    """A slave with ten holding registers; register n holds 100 + n at first."""

    def __init__(self) -> None:
        self.words = [100 + number for number in range(10)]

    def read(self, kind: Kind, address: int, count: int) -> list[int]:
        if kind != "holding" or address + count > len(self.words):
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS)
        return self.words[address : address + count]

    def write(self, address: int, words: list[int]) -> None:
        if address + len(words) > len(self.words):
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS)
        self.words[address : address + len(words)] = words


@pytest.fixture
def slave() -> Words:
    return Words()


# ---- TCP ----


@pytest.fixture
async def port(slave: Words) -> AsyncIterator[int]:
    listening = bind("robot.link", "127.0.0.1", 0)
    server = TcpServer(slave, UNIT)
    await server.serve(listening)
    yield listening.getsockname()[1]
    await server.close()


async def exchange(port: int, *pieces: str, answers: int = 1) -> list[str]:
    """Send bytes, given as hexadecimal, piece by piece; the answers without their transaction number."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(bytes.fromhex(piece))
            await writer.drain()
            await asyncio.sleep(0)
        async with asyncio.timeout(20):
            return [await one_answer(reader) for _ in range(answers)]
    finally:
        writer.close()
        await writer.wait_closed()


async def one_answer(reader: asyncio.StreamReader) -> str:
    header = await reader.readexactly(6)
    return (await reader.readexactly(int.from_bytes(header[4:], "big"))).hex(" ")


@pytest.mark.parametrize(
    ("request_pdu", "response_pdu"),
    [
        ("03 0002 0003", "03 06 00 66 00 67 00 68"),
        ("06 0002 1234", "06 00 02 12 34"),
        ("10 0002 0002 04 1234 5678", "10 00 02 00 02"),
        ("04 0000 0001", "84 02"),  # no input registers
        ("03 0009 0002", "83 02"),  # beyond the last
        ("10 0009 0002 04 0001 0002", "90 02"),
        ("03 0000 0000", "83 03"),  # no registers at all
        ("03 0000 007e", "83 03"),  # 126 registers
        ("10 0000 0002 03 1234 56", "90 03"),  # byte count that does not fit
        ("10 0000 0002 04 1234", "90 03"),  # cut off
        ("10 00", "90 03"),
        ("01 0000 0001", "81 01"),  # coils
        ("2b 0e 01 00", "ab 01"),
    ],
)
async def test_requests_are_answered_as_the_specification_has_it(
    port: int, request_pdu: str, response_pdu: str
) -> None:
    pdu = bytes.fromhex(request_pdu)
    frame = struct.pack(">HHHB", 7, 0, len(pdu) + 1, UNIT) + pdu
    assert await exchange(port, frame.hex()) == [f"{UNIT:02x} {response_pdu}"]


async def test_a_request_in_pieces_and_two_in_one_piece_are_answered(port: int) -> None:
    one = "0007 0000 0006 01 03 0000 0001"
    assert await exchange(port, one[:9], one[9:]) == ["01 03 02 00 64"]
    assert await exchange(port, one + one, answers=2) == ["01 03 02 00 64"] * 2


async def test_other_units_are_refused_and_the_servers_own_numbers_answered(port: int) -> None:
    assert await exchange(port, "0007 0000 0006 05 03 0000 0001") == ["05 83 0b"]
    assert await exchange(port, "0007 0000 0006 ff 03 0000 0001") == ["ff 03 02 00 64"]
    assert await exchange(port, "0007 0000 0006 00 03 0000 0001") == ["00 03 02 00 64"]


@pytest.mark.parametrize("nonsense", ["0007 0001 0006 01 03 0000 0001", "0007 0000 0001 01", "0007 0000 ffff 01"])
async def test_what_is_no_modbus_ends_the_connection(port: int, nonsense: str) -> None:
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await exchange(port, nonsense)


async def test_a_refused_write_changes_nothing(port: int, slave: Words) -> None:
    before = list(slave.words)
    await exchange(port, "0007 0000 000b 01 10 0009 0002 04 0001 0002")
    assert slave.words == before


async def test_the_master_reads_and_writes_and_knows_a_refusal(port: int, slave: Words) -> None:
    async with await TcpMaster.connect("127.0.0.1", port, UNIT, 5.0) as master:
        await master.write_holding(3, [7, 8])
        assert await master.read_holding(2, 4) == [102, 7, 8, 105]
        with pytest.raises(LinkError):
            await master.read_holding(9, 2)


async def test_a_port_in_use_is_told_with_its_key(port: int) -> None:
    with pytest.raises(ConfigError) as refused:
        bind("plc.link", "127.0.0.1", port)
    assert refused.value.code == "config.port_in_use"
    assert refused.value.detail.startswith(f"plc.link = 127.0.0.1:{port}")


# ---- RTU ----

READ_ONE = "01 03 00 00 00 01 84 0a"
HUNDRED = "01 03 02 00 64 b9 af"


class Terminal:
    """A master at the serial line."""

    def __init__(self, link: Path) -> None:
        self.fd = os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd)

    def send(self, frame: str) -> None:
        os.write(self.fd, bytes.fromhex(frame))

    async def hear(self) -> str:
        """The next bytes that come."""
        come = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self.fd, come.set)
        try:
            async with asyncio.timeout(20):
                await come.wait()
        finally:
            loop.remove_reader(self.fd)
        return os.read(self.fd, 256).hex(" ")

    def close(self) -> None:
        os.close(self.fd)


@pytest.fixture
async def terminal(slave: Words, tmp_path: Path) -> AsyncIterator[Terminal]:
    line = RtuLine(slave, UNIT)
    line.open(tmp_path / "jig")
    master = Terminal(tmp_path / "jig")
    yield master
    master.close()
    line.close()


async def test_a_frame_is_answered_with_its_checksum(terminal: Terminal) -> None:
    terminal.send(READ_ONE)
    assert await terminal.hear() == HUNDRED


async def test_a_frame_in_pieces_is_answered_once_it_is_whole(terminal: Terminal) -> None:
    terminal.send(READ_ONE[:8])
    await asyncio.sleep(0)
    terminal.send(READ_ONE[8:])
    assert await terminal.hear() == HUNDRED


@pytest.mark.parametrize(
    "unanswered",
    [
        "01 03 00 00 00 01 84 0b",  # wrong checksum
        "02 03 00 00 00 01 84 39",  # another unit
        "01 03 00",  # cut off
        "ff ff ff",  # noise
    ],
)
async def test_what_is_not_for_it_is_not_answered_and_does_not_spoil_the_next_frame(
    terminal: Terminal, unanswered: str
) -> None:
    terminal.send(unanswered)
    await asyncio.sleep(0.1)  # the silence that ends a frame
    terminal.send(READ_ONE)
    assert await terminal.hear() == HUNDRED


async def test_a_broadcast_is_obeyed_without_an_answer(terminal: Terminal, slave: Words) -> None:
    terminal.send("00 06 00 00 00 09 48 1d")
    async with asyncio.timeout(20):
        while slave.words[0] != 9:  # noqa: ASYNC110 - there is no answer that could be waited for
            await asyncio.sleep(0.001)
    terminal.send(READ_ONE)
    assert await terminal.hear() == "01 03 02 00 09 78 42"


async def test_a_function_that_it_does_not_know_gets_the_exception(terminal: Terminal) -> None:
    terminal.send("01 2b 0e 01 00 70 77")
    assert await terminal.hear() == "01 ab 01 9e f0"


BYTE_S = 0.002
"""As long as at 5,500 bits a second."""


@pytest.fixture
async def slow_line(slave: Words, tmp_path: Path) -> AsyncIterator[tuple[RtuLine, Terminal]]:
    line = RtuLine(slave, UNIT, BYTE_S)
    line.open(tmp_path / "jig")
    master = Terminal(tmp_path / "jig")
    yield line, master
    master.close()
    line.close()


async def test_an_answer_comes_no_sooner_than_request_and_answer_take_on_the_wire(
    slow_line: tuple[RtuLine, Terminal],
) -> None:
    _line, terminal = slow_line
    begun_s = asyncio.get_running_loop().time()
    terminal.send(READ_ONE)
    assert await terminal.hear() == HUNDRED
    sent, told = len(bytes.fromhex(READ_ONE)), len(bytes.fromhex(HUNDRED))
    assert asyncio.get_running_loop().time() - begun_s >= (sent + told) * BYTE_S


async def test_what_is_on_the_wire_when_the_line_falls_silent_is_lost(
    slow_line: tuple[RtuLine, Terminal], slave: Words
) -> None:
    line, terminal = slow_line
    order = bytes.fromhex("01 06 00 00 00 09")
    terminal.send((order + crc(order)).hex())
    async with asyncio.timeout(20):
        while slave.words[0] != 9:  # noqa: ASYNC110 - it has obeyed, and its answer is on the way
            await asyncio.sleep(0)
    line.silent = True
    await asyncio.sleep(16 * BYTE_S)  # longer than the answer takes
    line.silent = False
    terminal.send(READ_ONE)
    assert await terminal.hear() == "01 03 02 00 09 78 42"


@pytest.mark.parametrize(("parity", "stop_bits", "bits"), [("E", 1, 11), ("N", 2, 11), ("N", 1, 10), ("O", 2, 12)])
def test_a_byte_takes_its_bits(parity: str, stop_bits: int, bits: int) -> None:
    link = RtuLink(kind="rtu", device="jig", baud_rate=115200, parity=parity, stop_bits=stop_bits)  # type: ignore[arg-type]
    assert byte_s(link) == bits / 115200


async def test_two_lines_at_one_link_leave_the_younger_ones_link_alone(slave: Words, tmp_path: Path) -> None:
    older, younger = RtuLine(slave, UNIT), RtuLine(slave, UNIT)
    older.open(tmp_path / "jig")
    younger.open(tmp_path / "jig")
    older.close()
    assert str((tmp_path / "jig").readlink()) == younger.target
    younger.close()
    assert not (tmp_path / "jig").is_symlink()


async def test_a_file_at_the_links_place_is_left_alone(slave: Words, tmp_path: Path) -> None:
    (tmp_path / "jig").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        RtuLine(slave, UNIT).open(tmp_path / "jig")
    assert "jig.link.device" in refused.value.detail
    assert (tmp_path / "jig").read_text(encoding="utf-8") == "mine"
