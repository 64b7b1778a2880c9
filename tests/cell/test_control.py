"""The control socket: who may ask and command, who is believed, and what a rude client costs."""

import asyncio
import json
import os
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from station.core.errors import ControlError
from station.core.peer import Peer
from station.host.control import SOCKET, ask, send
from station.host.control_socket import CONNECTIONS, LOOK_S, REQUEST_TIMEOUT_S
from tests.cell.bench import listening, running
from tests.other_users import MEMBERS, as_another, needs_root
from tests.virtual_time import in_virtual_time

IMPORTS = "from station.host.control import ask; from station.core.errors import StationError"
ASK = """
for line in sys.stdin:
    try:
        print(asyncio.run(ask(Path(line.strip()), "status"))["state"], flush=True)
    except StationError as error:
        print(error.code, flush=True)
"""
POSE = """
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
print("listening", flush=True)
connection, _ = server.accept()
connection.settimeout(10)
print(repr(connection.recv(100)), flush=True)
"""


PATIENCE_S = 20.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that other users of the computer can reach."""
    with tempfile.TemporaryDirectory(prefix="station-test-") as name:
        yield Path(name)


def open_to(folder: Path, mode: int) -> None:
    folder.chmod(mode)


async def said_by(process: subprocess.Popen[str]) -> str:
    said, _ = await asyncio.to_thread(process.communicate)
    return said.strip()


async def asked_by(process: subprocess.Popen[str], folder: Path) -> str:
    """The state that another user is told, or the code of the refusal."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{folder}\n")
    process.stdin.flush()
    return (await asyncio.to_thread(process.stdout.readline)).strip()


async def code_of(asked: Any) -> str:
    with pytest.raises(ControlError) as caught:
        await asked
    return caught.value.code


@needs_root
async def test_another_user_may_neither_ask_nor_command(folder: Path) -> None:
    async with running() as bench, listening(bench.desk, folder):
        with as_another(ASK, first=IMPORTS) as stranger:
            open_to(folder, 0o755)
            assert stat.S_IMODE((folder / SOCKET).stat().st_mode) == 0o600
            assert await asked_by(stranger, folder) == "control.not_permitted"
            (folder / SOCKET).chmod(0o666)  # even who gets through to it is not listened to
            assert await asked_by(stranger, folder) == "control.no_answer"
            open_to(folder, 0o750)
            assert await asked_by(stranger, folder) == "control.not_permitted"


@needs_root
async def test_a_member_of_the_stations_group_may_command(folder: Path) -> None:
    async with running() as bench, listening(bench.desk, folder, group=MEMBERS):
        assert stat.S_IMODE((folder / SOCKET).stat().st_mode) == 0o660
        for path in (folder, folder / SOCKET):  # as a station that runs in this group makes them
            os.chown(path, -1, MEMBERS)
        open_to(folder, 0o750)
        with as_another(ASK, groups=(MEMBERS,), first=IMPORTS) as member:
            assert await asked_by(member, folder) == bench.desk.view.state.name
            open_to(folder, 0o700)
            assert await asked_by(member, folder) == "control.not_permitted"


@needs_root
async def test_another_users_program_is_told_nothing_and_believed_nothing(folder: Path) -> None:
    open_to(folder, 0o777)
    poser = as_another(POSE, folder / SOCKET)
    assert poser.stdout is not None
    assert await asyncio.to_thread(poser.stdout.readline) == "listening\n"
    with pytest.raises(ControlError) as caught:
        await send(folder, "abort")
    assert caught.value.code == "control.stranger"
    assert "nobody answers for it" in caught.value.detail
    assert await said_by(poser) == "b''", "the command was not sent"


async def test_a_station_that_does_not_answer_is_told_from_none(folder: Path) -> None:
    assert await code_of(ask(folder / "nowhere", "status")) == "control.no_station"
    assert await code_of(ask(folder, "status")) == "control.no_station"
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(folder / SOCKET))
        assert await code_of(ask(folder, "status")) == "control.no_station", "left by one that was killed"
        deaf.listen()
        assert await code_of(ask(folder, "status", 0.1)) == "control.no_answer"


async def test_a_socket_that_cannot_be_made_is_no_station(folder: Path) -> None:
    (folder / SOCKET).mkdir()
    async with running() as bench:
        with pytest.raises(ControlError) as caught:
            await listening(bench.desk, folder).__aenter__()
    assert (caught.value.code, str(folder / SOCKET) in caught.value.detail) == ("control.no_socket", True)


async def test_the_socket_a_killed_station_has_left_is_replaced_and_taken_away_at_the_end(tmp_path: Path) -> None:
    long = tmp_path / ("a" * 100) / ("b" * 100)
    long.mkdir(parents=True)
    here = os.open(long, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(f"/proc/self/fd/{here}/{SOCKET}")
    os.close(here)
    async with running() as bench, listening(bench.desk, long):
        assert (await send(long, "status"))["state"] == bench.desk.view.state.name
    assert list(long.iterdir()) == []


@in_virtual_time
async def test_a_socket_that_somebody_deletes_is_made_anew(folder: Path) -> None:
    async with running() as bench, listening(bench.desk, folder):
        await asyncio.sleep(LOOK_S / 2)
        (folder / SOCKET).unlink()
        await asyncio.sleep(LOOK_S / 4)
        assert await code_of(ask(folder, "status")) == "control.no_station"
        await asyncio.sleep(LOOK_S / 2)
        assert (await ask(folder, "status"))["state"] == bench.desk.view.state.name


@in_virtual_time
async def test_the_socket_is_there_again_when_its_folder_is_however_long_that_was_away(folder: Path) -> None:
    data, elsewhere = folder / "data", folder / "elsewhere"
    data.mkdir()
    async with running() as bench, listening(bench.desk, data):
        data.rename(elsewhere)
        await asyncio.sleep(3.5 * LOOK_S)
        assert await code_of(ask(data, "status")) == "control.no_station"
        elsewhere.rename(data)
        await asyncio.sleep(LOOK_S)
        assert (await ask(data, "status"))["state"] == bench.desk.view.state.name
    assert list(data.iterdir()) == []


@pytest.mark.parametrize("turns", range(6))
async def test_who_connects_in_the_last_moment_is_hung_up_on_and_waits_for_nothing(folder: Path, turns: int) -> None:
    async with running() as bench:
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(PATIENCE_S)
            async with listening(bench.desk, folder):
                caller.connect(str(folder / SOCKET))
                for _ in range(turns):
                    await asyncio.sleep(0)
            with suppress(ConnectionResetError):
                assert await asyncio.to_thread(caller.recv, 100) == b""


async def test_a_request_without_an_end_is_refused_and_nothing_else_suffers(folder: Path) -> None:
    async with running() as bench, listening(bench.desk, folder):
        reader, writer = await asyncio.open_unix_connection(str(folder / SOCKET))
        writer.write(b"x" * 200_000)
        answer = json.loads(await reader.read())
        assert "1024 bytes" in answer["refused"]
        writer.close()
        assert (await ask(folder, "status"))["refused"] is None


@in_virtual_time
async def test_clients_that_say_nothing_are_hung_up_on_and_lock_nobody_out_for_long(folder: Path) -> None:
    loop = asyncio.get_running_loop()
    async with running() as bench, listening(bench.desk, folder):
        began_s = loop.time()
        silent = [await asyncio.open_unix_connection(str(folder / SOCKET)) for _ in range(CONNECTIONS)]
        reader, late = await asyncio.open_unix_connection(str(folder / SOCKET))
        assert await reader.read() == b"", "one more than there is room for is hung up on"
        assert loop.time() == began_s
        assert [await reader.read() for reader, _ in silent] == [b""] * CONNECTIONS
        assert loop.time() - began_s == REQUEST_TIMEOUT_S
        assert (await ask(folder, "status"))["state"] == bench.desk.view.state.name
        for _, writer in [*silent, (reader, late)]:
            writer.close()


def test_a_peer_is_who_the_kernel_says() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert Peer.of(ours) == Peer(os.geteuid(), frozenset({os.getegid(), *os.getgroups()}))
