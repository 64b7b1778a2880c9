"""What the station's Modbus server answers to frames that are typed in, byte by byte.

Source: MODBUS Application Protocol V1.1b3, sections 6 and 7; MODBUS Messaging on TCP/IP V1.0b, sections 3.1 and 4.4.2.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from drivers.plc.plc import ModbusPlc
from tests.housings import line_plc
from tests.wire.plc_peers import settings
from tests.wire.raw_modbus import MAGIC, READ_MAGIC, RawMaster, frame


@pytest.fixture
async def server() -> AsyncIterator[ModbusPlc]:
    server = line_plc(settings("server", 0))
    await server.connect()
    yield server
    await server.close()


@pytest.fixture
async def master(server: ModbusPlc) -> AsyncIterator[RawMaster]:
    master = await RawMaster.connect(server.port)
    yield master
    master.close()


ANSWERED = {
    "read": ("03 0001 0001", "03 02 a55a"),
    "read across a gap": ("03 0003 0003", "03 06 2000 1234 5678"),
    "write one": ("06 0068 0007", "06 0068 0007"),
    "write many": ("10 0068 0001 02 0009", "10 0068 0001"),
    "mask": ("16 0068 00f2 0025", "16 0068 00f2 0025"),
    "write and read": ("17 0068 0001 0068 0001 02 0007", "17 02 0007"),
}
REFUSED = {
    "coils": ("01 0000 0001", "81 01"),
    "discrete inputs": ("02 0000 0001", "82 01"),
    "input registers": ("04 0000 0001", "84 01"),
    "write a coil": ("05 0000 ff00", "85 01"),
    "exception status": ("07", "87 01"),
    "echo": ("08 0000 1234", "88 01"),
    "restart": ("08 0001 0000", "88 01"),
    "listen only": ("08 0004 0000", "88 01"),
    "event counter": ("0b", "8b 01"),
    "event log": ("0c", "8c 01"),
    "write coils": ("0f 0000 0001 01 01", "8f 01"),
    "server id": ("11", "91 01"),
    "read a file": ("14 07 06 0004 0001 0002", "94 01"),
    "write a file": ("15 09 06 0004 0007 0001 06af", "95 01"),
    "a queue": ("18 0000", "98 01"),
    "another transport": ("2b 0d 00 00", "ab 01"),
    "no function": ("00", "80 01"),
    "a function of its own": ("64 0102", "e4 01"),
    "126 registers": ("03 0000 007e", "83 03"),
    "no registers": ("03 0000 0000", "83 03"),
    "beyond the map": ("03 0080 007c", "83 02"),
    "beyond all addresses": ("03 ffff 0002", "83 02"),
    "a short read": ("03 0000", "83 03"),
    "a long read": ("03 0000 0001 00", "83 03"),
    "a short write": ("06 0068 00", "86 03"),
    "write 124": (f"10 0000 007c f8 {'00' * 248}", "90 03"),
    "fewer bytes than told": ("10 0068 0001 02 00", "90 03"),
    "another number of bytes": ("10 0068 0001 04 0000 0000", "90 03"),
    "write nothing": ("10 0068 0000 00", "90 03"),
    "write without a count": ("10 0068", "90 03"),
    "write what is not the peer's": ("10 0000 0001 02 0001", "90 02"),
    "a short mask": ("16 0068 0000", "96 03"),
    "mask beyond the map": ("16 ffff 0000 0001", "96 02"),
    "write and read 126": ("17 0000 007e 0068 0001 02 0007", "97 03"),
    "write and read beyond the map": ("17 1000 0001 0068 0001 02 0007", "97 02"),
    "write what may not be, and read": ("17 0000 0001 0000 0001 02 0007", "97 02"),
    "write 122 and read": (f"17 0000 0001 0000 007a f4 {'00' * 244}", "97 03"),
    "identification without an object": ("2b 0e 01", "ab 03"),
    "identification in another way": ("2b 0e 05 00", "ab 03"),
    "identification of nothing": ("2b 0e 04 09", "ab 02"),
}


@pytest.mark.parametrize("unit", [0, 1, 255])
@pytest.mark.parametrize("name", ANSWERED)
async def test_six_functions_are_answered_for_three_units(master: RawMaster, name: str, unit: int) -> None:
    await master.write(104, 0x12)
    request, answer = (bytes.fromhex(text) for text in ANSWERED[name])
    assert (await master.ask(request, unit)).hex(" ") == answer.hex(" ")


async def test_what_was_written_stands(master: RawMaster) -> None:
    for name, word in (("write one", 7), ("write many", 9), ("write and read", 7)):
        await master.write(104, 0x12)
        await master.ask(bytes.fromhex(ANSWERED[name][0]))
        assert await master.ask(bytes.fromhex("03 0068 0001")) == b"\x03\x02" + word.to_bytes(2)
    await master.write(104, 0x12)
    await master.ask(bytes.fromhex(ANSWERED["mask"][0]))
    assert await master.ask(bytes.fromhex("03 0068 0001")) == bytes.fromhex("03 02 0017")  # the standard's own example


@pytest.mark.parametrize("name", REFUSED)
async def test_everything_else_is_refused_with_its_own_function_code_and_changes_nothing(
    master: RawMaster, name: str
) -> None:
    request, answer = (bytes.fromhex(text) for text in REFUSED[name])
    assert (await master.ask(request)).hex(" ") == answer.hex(" ")
    assert await master.ask(bytes.fromhex("03 0068 0001")) == bytes.fromhex("03 02 0000")


@pytest.mark.parametrize("unit", [2, 7, 247, 254])
@pytest.mark.parametrize("request_", ["03 0001 0001", "18 0000", "11", "2b 0e 01 00", "15 07 06 0004 0007 0000"])
async def test_another_unit_is_not_there_whatever_is_asked(master: RawMaster, unit: int, request_: str) -> None:
    request = bytes.fromhex(request_)
    assert await master.ask(request, unit) == bytes((request[0] | 0x80, 0x0B))


async def test_the_identity_is_the_stations_own(master: RawMaster) -> None:
    whole = await master.ask(bytes.fromhex("2b 0e 02 00"))
    assert whole[:7] == bytes.fromhex("2b 0e 02 82 00 00 05")
    objects, rest = {}, whole[7:]
    while rest:
        objects[rest[0]], rest = rest[2 : 2 + rest[1]].decode(), rest[2 + rest[1] :]
    assert set(objects) == {0, 1, 2, 4, 5}
    assert objects[1] == "inspection-station"
    assert objects[2] == "0.1.0"
    assert objects[5] == "register map plc, version 1"
    basic = await master.ask(bytes.fromhex("2b 0e 01 00"))
    assert basic[:7] == bytes.fromhex("2b 0e 01 82 00 00 03")
    assert await master.ask(bytes.fromhex("2b 0e 04 02")) == b"\x2b\x0e\x04\x82\x00\x00\x01\x02\x05" + b"0.1.0"
    assert (await master.ask(bytes.fromhex("2b 0e 03 05")))[6:9] == b"\x01\x05\x1b"
    assert (await master.ask(bytes.fromhex("2b 0e 02 63")))[6] == 5, "an object that is not there: from the first on"


async def test_all_requests_of_one_segment_are_answered_in_order(master: RawMaster) -> None:
    requests = [frame(number, b"\x03\x00\x01\x00\x01") for number in range(1, 60)]
    requests[20] = frame(21, b"\x18\x00\x00")
    requests[30] = frame(31, b"\x10\x00\x68\x00\x01\x02\x00\x2a")
    requests[31] = frame(32, b"\x03\x00\x68\x00\x01")
    master.send(b"".join(requests))
    answers = [await master.receive() for _ in requests]
    assert [int.from_bytes(answer[:2]) for answer in answers] == list(range(1, 60))
    assert answers[0] == bytes.fromhex("0001 0000 0005 01") + MAGIC
    assert answers[20] == bytes.fromhex("0015 0000 0003 01 98 01")
    assert answers[31] == bytes.fromhex("0020 0000 0005 01 03 02 002a")


async def test_a_frame_may_come_in_pieces_and_the_next_with_its_end(master: RawMaster) -> None:
    whole = frame(1, READ_MAGIC) + frame(2, READ_MAGIC)
    for piece in (whole[:3], whole[3:9], whole[9:20], whole[20:]):
        master.send(piece)
        await asyncio.sleep(0)
    assert [(await master.receive())[:2] for _ in range(2)] == [b"\0\1", b"\0\2"]


@pytest.mark.parametrize(
    "data", ["0001 0001 0006 01 03 0001 0001", "0001 0000 0001 01", "0001 0000 0200 01 03", "47455420"]
)
async def test_what_is_no_frame_ends_the_connection_and_no_other(
    server: ModbusPlc, master: RawMaster, data: str
) -> None:
    other = await RawMaster.connect(server.port)
    other.send(bytes.fromhex(data) + bytes(8))
    assert await other.receive() == b""
    assert await master.is_let_in()
    other.close()


async def test_a_caller_who_hangs_up_behind_its_requests_is_answered(server: ModbusPlc) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(frame(1, READ_MAGIC) + frame(2, READ_MAGIC))
    writer.write_eof()
    answers = await reader.read()
    assert len(answers) == 2 * 11
    writer.close()
