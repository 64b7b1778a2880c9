"""Rubbish on the wire: random and mutated Modbus frames at the station's server, random bytes from a serial device.

`pytest -m slow tests/wire/test_fuzz.py` sends 100,000 frames; the quick form 1,500. A failure names its seed.
"""

import asyncio
import logging
import os
import random
import struct
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusTcpClient

from drivers.modbus.family import JIG
from drivers.modbus.link import ModbusLink
from drivers.modbus.register_map import load_map
from drivers.plc.plc import ModbusPlc
from station.core.errors import DeviceError
from station.core.settings import RtuLink
from tests.housings import INSPECTED, line_plc
from tests.wire.plc_peers import settings

BATCH = 100
SEED = 20260101
GROWTH_BYTES = 15_000_000
FUNCTIONS = (1, 2, 3, 4, 5, 6, 7, 8, 11, 15, 16, 17, 20, 21, 22, 23, 24, 43, 0, 90, 128, 255)


def resident_bytes() -> int:
    """Memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def request(chance: random.Random) -> bytes:
    """A Modbus TCP request that is well formed, or nearly."""
    function = chance.choice(FUNCTIONS)
    address, count = chance.randrange(0, 200), chance.randrange(0, 140)
    words = [chance.choice((0, 1, 2, 6, 10, 0xFFFF, chance.randrange(65536))) for _ in range(min(count, 20))]
    body = struct.pack(">HH", address, count)
    if function in {6, 5}:
        body = struct.pack(">HH", address, chance.randrange(65536))
    elif function in {15, 16}:
        body = struct.pack(f">HHB{len(words)}H", address, len(words), 2 * len(words), *words)
    elif function == 22:
        body = struct.pack(">HHH", address, chance.randrange(65536), chance.randrange(65536))
    elif function == 23:
        body = struct.pack(f">HHHHB{len(words)}H", 0, 10, address, len(words), 2 * len(words), *words)
    unit = chance.choice((1, 1, 1, 255, 0, 7))
    return struct.pack(">HHHBB", chance.randrange(65536), 0, len(body) + 2, unit, function) + body


def rubbish(chance: random.Random) -> bytes:
    """A request as it is, mutated, cut, prolonged, with a lying length, or no request at all."""
    frame = bytearray(request(chance))
    match chance.randrange(7):
        case 1:
            for _ in range(chance.randrange(1, 6)):
                frame[chance.randrange(len(frame))] ^= 1 << chance.randrange(8)
        case 2:
            del frame[chance.randrange(len(frame)) :]
        case 3:
            frame += chance.randbytes(chance.randrange(1, 300))
        case 4:
            frame[4:6] = struct.pack(">H", chance.randrange(65536))
        case 5:
            return chance.randbytes(chance.randrange(1, 260))
        case _:
            pass
    return bytes(frame)


def illegal(server: ModbusPlc) -> list[str]:
    """Registers of the half of the PLC that hold what they cannot have; an unknown command is refused as a command."""
    rows = load_map("plc", INSPECTED).select("read")
    first, _count = load_map("plc", INSPECTED).span(row.name for row in rows)
    words = server._peer._served.theirs  # type: ignore[union-attr]
    found = []
    for row in rows:
        try:
            row.word_type.decode(words[row.address - first : row.end - first])
        except ValueError:
            if not row.type.startswith("ascii"):
                found.append(row.name)
    return found


async def bombard(frames: int, seed: int) -> None:
    """Send so many frames over many connections; the station's half must stay what the station says."""
    chance = random.Random(seed)  # noqa: S311  # rubbish, not secrets
    server = line_plc(settings("server", 0))
    await server.connect()
    try:
        before, answered = 0, 0
        for batch in range(frames // BATCH):
            answered += await send_batch(server.port, chance)
            if batch % 10 == 9:
                await believes_itself(server, f"seed {seed}, batch {batch}")
            if batch == min(20, frames // BATCH - 1):
                before = resident_bytes()
        await believes_itself(server, f"seed {seed}, at the end")
        assert illegal(server) == [], f"seed {seed}"
        assert answered > frames, f"seed {seed}: only {answered} bytes of answers, the frames were not looked at"
        assert resident_bytes() - before < GROWTH_BYTES, f"seed {seed}"
    finally:
        await server.close()


async def send_batch(port: int, chance: random.Random) -> int:
    """Send frames one by one, on a new connection where the server has closed the old one; the bytes that came back."""
    answered = 0
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(BATCH):
        try:
            writer.write(rubbish(chance))
            await writer.drain()
            async with asyncio.timeout(0.003):
                answered += len(await reader.read(4096))
        except TimeoutError:
            continue
        except ConnectionError:
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    return answered


async def believes_itself(server: ModbusPlc, when: str) -> None:
    """A master that asks properly gets the station's own words."""
    master = AsyncModbusTcpClient("127.0.0.1", port=server.port, retries=0, reconnect_delay=0, timeout=5)
    assert await master.connect(), when
    answer = await master.read_holding_registers(0, count=60)
    master.close()
    assert not answer.isError(), when
    said = server._outbox.words()
    heartbeat = 10
    told = {at: word for at, word in enumerate(answer.registers[: len(said)]) if at != heartbeat}
    assert told == {at: word for at, word in enumerate(said[:60]) if at != heartbeat}, when


@pytest.fixture(autouse=True)
def quiet_pymodbus(caplog: pytest.LogCaptureFixture) -> None:
    """As in the running station, pymodbus does not log; what it would say of each frame is not kept by the test."""
    caplog.set_level(logging.CRITICAL, logger="pymodbus.logging")


async def test_rubbish_at_the_stations_server_changes_nothing_of_the_stations() -> None:
    await bombard(1_500, SEED)


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_a_hundred_thousand_frames_of_rubbish() -> None:
    await bombard(100_000, SEED + 1)


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """A pseudo-terminal: the far end, and the path of the near one."""
    far, near = os.openpty()
    tty.setraw(near)
    os.set_blocking(far, False)
    yield far, os.ttyname(near)
    os.close(far)
    os.close(near)


async def ask(link: ModbusLink) -> None:
    """One request, on a connection that is made if there is none."""
    await link.connect()
    await link.read("input", 0, 10)


async def listen_to_rubbish(far: int, path: str, answers: int, seed: int) -> None:
    """Every request is answered with random bytes, or with none; the link must say so each time and go on."""
    chance = random.Random(seed)  # noqa: S311  # rubbish, not secrets
    loop = asyncio.get_running_loop()

    asked = 0

    def answer() -> None:
        nonlocal asked
        asked += 1
        os.read(far, 4096)
        if chance.random() < 0.9:
            os.write(far, chance.randbytes(chance.randrange(1, 64)))

    async def nothing_to_greet(_exchange: object) -> None:
        return None

    link_settings = RtuLink(kind="rtu", device=path, parity="N", request_timeout_s=0.02, reconnect_s=0.01)
    link = ModbusLink(link_settings, JIG, nothing_to_greet)
    loop.add_reader(far, answer)
    before = 0
    try:
        for number in range(answers):
            with pytest.raises(DeviceError):
                await ask(link)
            if number == answers // 5:
                before = resident_bytes()
        assert resident_bytes() - before < GROWTH_BYTES, f"seed {seed}"
        assert asked > answers / 2, f"seed {seed}: only {asked} requests went out"
    finally:
        loop.remove_reader(far)
        await link.close()


async def test_rubbish_from_a_serial_device_is_never_believed(terminal: tuple[int, str]) -> None:
    await listen_to_rubbish(*terminal, 300, SEED)


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_ten_thousand_answers_of_rubbish_from_a_serial_device(terminal: tuple[int, str]) -> None:
    await listen_to_rubbish(*terminal, 10_000, SEED + 1)
