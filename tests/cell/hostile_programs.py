"""Programs beside a station, as processes of their own: who attacks its server, and who asks it for its status.

`python -m tests.cell.hostile_programs network` does one attack for each line of its input, `NAME PORT SECONDS COUNT`,
and answers with a line. `python -m tests.cell.hostile_programs status FOLDER` asks `status` again and again until its
input ends, and prints each answer as JSON: when it was asked (s, CLOCK_MONOTONIC), how long it took (s), and the state
or the code of the refusal.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from station.core.errors import StationError
from station.host.control import ask
from tests.wire.raw_modbus import READ_MAGIC, Master, RawMaster, frame

COMMANDER, READER, STRANGER = "127.0.0.1", "127.0.0.2", "127.0.0.3"
FILES = 4096
READ_ALL = b"\x03\x00\x00\x00\x40"
READERS, AHEAD = 4, 16
PAUSE_S, BEAT_S = 0.05, 0.05
PATIENCE_S = 20.0
STOP, HOLD, ABORT = 3, 4, 8
FALSE_PART = [0x4641, 0x4C53, 0x4500, 0, 0, 0, 0, 0, 1, 4711]
"""The announcement of a part that is not there: its id is FALSE."""


async def connections(port: int, seconds: float, count: int) -> None:
    """So many connections of all kinds of addresses, each with one request, none closed for so long."""
    opened = []
    for number in range(count):
        one = await RawMaster.connect(port, (COMMANDER, READER, STRANGER)[number % 3])
        one.send(frame(1, READ_MAGIC))
        opened.append(one)
    await asyncio.sleep(seconds)
    for one in opened:
        one.close()


async def reads(port: int, seconds: float, count: int) -> None:
    """Valid reads of a listed reader without a pause, as fast as they are taken, many of them ahead of their answers.

    The count is of no use here.
    """
    del count
    end = time.monotonic() + seconds
    readers = [await RawMaster.connect(port, READER) for _ in range(READERS)]
    for one in readers:
        one.send(b"".join(frame(number, READ_ALL) for number in range(1, AHEAD + 1)))
    await asyncio.gather(*(_read_on(one, end) for one in readers))


async def stranger_writes(port: int, seconds: float, count: int) -> None:
    """Writes of those who may only read, or not even that: a part that is not there, and commands."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for address in (READER, STRANGER):
            raw = await RawMaster.connect(port, address)
            await raw.write(110, *FALSE_PART)
            await raw.write(98, 1, 0xA55A, count % 65535 + 1, 1, ABORT, count)
            raw.close()
        count += 1
        await asyncio.sleep(BEAT_S)


async def second_master(port: int, seconds: float, count: int) -> None:
    """A program at a commander's address that beats, gives no permission, and commands Stop, Hold or Abort."""
    raw = await RawMaster.connect(port, COMMANDER)
    plc, end = Master(raw, count), time.monotonic() + seconds
    plc.own[3] = 0
    with suppress(AssertionError):  # refused between two beats of the other
        while time.monotonic() < end:
            await plc.beat()
            await plc.command((STOP, HOLD, ABORT)[count % 3], count % 65535 + 1)
            count += 1
            await asyncio.sleep(BEAT_S)
    raw.close()


ATTACKS: dict[str, Callable[[int, float, int], Awaitable[None]]] = {
    attack.__name__: attack for attack in (connections, reads, stranger_writes, second_master)
}


async def _read_on(reader: RawMaster, end: float) -> None:
    """One request more for each answer, until the end or a hang-up."""
    while time.monotonic() < end and await reader.receive():
        reader.send(frame(1, READ_ALL))
    reader.close()


def attack() -> None:
    """Do what the lines of the input say."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))
    for line in sys.stdin:
        name, port, seconds, count = line.split()
        try:
            asyncio.run(ATTACKS[name](int(port), float(seconds), int(count)))
            _say("done")
        except OSError as error:
            _say(f"failed: {error!r}")


async def inquire(folder: Path) -> None:
    """Ask for the status until the input ends."""
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    while not ended.done():
        asked = time.monotonic()
        try:
            said = (await ask(folder, "status", PATIENCE_S))["state"]
        except StationError as error:
            said = error.code
        _say(json.dumps([asked, time.monotonic() - asked, said]))
        await asyncio.sleep(PAUSE_S)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # to the test


if __name__ == "__main__":
    if sys.argv[1] == "network":
        attack()
    else:
        asyncio.run(inquire(Path(sys.argv[2])))
