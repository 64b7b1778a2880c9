"""Commands from the command line to a running station: a socket in its data folder, one line each way.

Nobody but the station's own user can make anything in the data folder, so nobody else can take the socket's place; each
end asks the kernel who is at the other one all the same, before it says or believes anything.
"""

import asyncio
import json
import os
import pwd
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import structlog

from station.cell.controller import Controller
from station.cell.packml import Command
from station.core.alarms import alarm_row
from station.core.errors import ControlError, StationError
from station.core.peer import Peer, commanding_group
from station.core.place import displaced

SOCKET = "station.socket"
ANSWER_TIMEOUT_S = 5.0
"""How long a command waits for the station's answer."""
REQUEST_TIMEOUT_S = 2.0
"""How long a connection may take, from the first to the last byte."""
REQUEST_BYTES = 1024
CONNECTIONS = 32
"""So many at a time; one more is hung up on."""
NO_FILES_PAUSE_S = 1.0
"""How long nobody is accepted when the process has no file left for a connection."""
LOOK_S = 5.0
"""How often it is seen whether the socket lies in its place."""

log = structlog.get_logger()


@asynccontextmanager
async def listening(controller: Controller, data: Path, look_s: float = LOOK_S) -> AsyncIterator[None]:
    """While in this context, `station command` and `station alarms` reach the controller.

    They are obeyed when they come from the station's own user, from root, or from a member of the group `inspection`
    where the station runs in that group.

    Args:
        controller: Who is commanded.
        data: The data folder, which this process has claimed.
        look_s: How often the socket is looked for, and made anew where somebody has deleted it.

    Raises:
        ControlError: The socket cannot be made.
    """
    desk = _Desk(controller, data)
    try:
        desk.open()
    except OSError as error:
        raise ControlError("control.no_socket", f"{data / SOCKET}: {error.strerror}") from error
    keeping = asyncio.create_task(desk.keep(look_s), name="control socket")
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
        await desk.close()


class _Desk:
    """Takes what is asked at the socket to the controller."""

    def __init__(self, controller: Controller, data: Path) -> None:
        self._controller = controller
        self._path = data / SOCKET
        self._group = commanding_group()
        self._listener: socket.socket | None = None
        self._own: os.stat_result | None = None
        self._busy: dict[asyncio.Task[None], socket.socket] = {}
        self._timer: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Listen, in the place of a socket that a station that was killed has left.

        Raises:
            OSError: The socket cannot be made there.
        """
        listener = _bound(self._path, self._group)
        self._own = self._path.stat()
        listener.setblocking(False)
        listener.listen(CONNECTIONS)
        self._listener = listener
        asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    async def keep(self, look_s: float) -> None:
        """Make the socket anew where it was deleted or replaced; until cancelled."""
        while True:
            await asyncio.sleep(look_s)
            try:
                if self._own is None or (lost := displaced(self._path, self._own)):
                    self._shut()
                    self.open()
                    log.warning("control_socket_made_anew", detail=lost)
            except OSError:  # the data folder itself is not there: told by the records, tried again
                self._own = None

    async def close(self) -> None:
        """Listen no more, hang up on everybody, and take the socket away."""
        self._shut()
        for task in self._busy:
            task.cancel()
        if self._busy:
            await asyncio.wait(tuple(self._busy))
        with suppress(OSError):
            if self._own is not None and not displaced(self._path, self._own):
                self._path.unlink()

    def _shut(self) -> None:
        """Listen no more; who has connected and was not accepted is hung up on by the kernel."""
        if self._timer is not None:
            self._timer.cancel()
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket) -> None:
        """Take one connection. From here on it is answered or hung up on, also when the socket is closed at once."""
        loop = asyncio.get_running_loop()
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionError):
            return
        except OSError as error:  # no file is left for it: it waits in the kernel
            log.warning("command_not_accepted", detail=error.strerror)
            loop.remove_reader(listener)
            self._timer = loop.call_later(NO_FILES_PAUSE_S, loop.add_reader, listener, self._accept, listener)
            return
        peer = Peer.of(connection)
        if len(self._busy) >= CONNECTIONS or not peer.commands(self._group):
            connection.close()
            return
        task = loop.create_task(self._serve(connection, peer), name="command")
        self._busy[task] = connection
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._busy.pop(task).close()

    async def _serve(self, connection: socket.socket, peer: Peer) -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                reader, writer = await asyncio.open_unix_connection(sock=connection, limit=REQUEST_BYTES)
                try:
                    writer.write(json.dumps(await self._answer(reader, peer)).encode() + b"\n")
                    writer.close()
                    await writer.wait_closed()
                finally:
                    writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, peer: Peer) -> dict[str, Any]:
        try:
            line = await reader.readline()
        except ValueError:
            return _answer(self._controller, f"a request is one line of at most {REQUEST_BYTES} bytes")
        return _answer(self._controller, _obey(self._controller, line.decode(errors="replace").split(), peer))


def _bound(path: Path, group: int | None) -> socket.socket:
    """A socket with this path, for members of the group as well; nobody can connect before it listens.

    The folder is named by its open descriptor, because a socket's path has room for 107 bytes only.

    Raises:
        OSError: It cannot be made.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with suppress(FileNotFoundError):
            if stat.S_ISSOCK(path.lstat().st_mode):
                path.unlink()
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
        path.chmod(0o600 if group is None else 0o660)
    except BaseException:
        listener.close()
        raise
    finally:
        os.close(folder)
    return listener


def _obey(controller: Controller, words: list[str], peer: Peer) -> str | None:
    """Why a request was refused, or None."""
    try:
        match words:
            case ["status" | "alarms"]:
                pass
            case ["ack", code]:
                controller.acknowledge(None if code == "all" else code, _name_of(peer.user))
            case [word]:
                controller.command(Command[word.upper()], f"{_name_of(peer.user)} with `station command`")
            case _:
                return f"{' '.join(words)!r} is no command"
    except KeyError:
        return f"{words[0]!r} is no command"
    except StationError as error:
        return str(error)
    return None


def _answer(controller: Controller, refused: str | None) -> dict[str, Any]:
    fault, detail = controller.trouble
    reason = f"{fault.text} ({detail})" if fault and detail else fault.text if fault else None
    alarms = [alarm_row(alarm) for alarm in reversed(controller.alarms)]
    return {"state": controller.state.name, "reason": reason, "refused": refused, "alarms": alarms}


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


async def send(data: Path, word: str) -> dict[str, str | None]:
    """Send one command word, or `status`, and return the station's answer.

    Raises:
        ControlError: As for `ask`.
    """
    answer = await ask(data, word)
    return {key: answer[key] for key in ("state", "reason", "refused")}


async def ask(data: Path, words: str, timeout_s: float = ANSWER_TIMEOUT_S) -> dict[str, Any]:
    """Send a command, `status`, `alarms`, `ack CODE` or `ack all`, and return all of the station's answer.

    Raises:
        ControlError: No station runs with this data folder, it does not answer in time, it may not be commanded by
            this user, or who answers is not the folder's owner; then nothing was sent.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await _ask(data, words)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError) as error:
        raise ControlError("control.no_station", f"{data}: {error.strerror}") from error
    except PermissionError as error:
        raise ControlError("control.not_permitted", f"{data}: {error.strerror}") from error
    except TimeoutError as error:
        raise ControlError("control.no_answer", f"{data}: nothing came within {timeout_s:g} s") from error
    except (ConnectionError, ValueError) as error:
        raise ControlError("control.no_answer", f"{data}: the connection ended without an answer") from error
    except OSError as error:
        raise ControlError("config.file_failed", f"{data}: {error.strerror}") from error


async def _ask(data: Path, words: str) -> dict[str, Any]:
    connection, owner = await _connected(data)
    try:
        reader, writer = await asyncio.open_unix_connection(sock=connection)
    except BaseException:
        connection.close()
        raise
    try:
        if not (peer := Peer.of(connection)).serves(owner):
            detail = f"{data} belongs to {_name_of(owner)}, but {_name_of(peer.user)} answers for it"
            raise ControlError("control.stranger", detail)
        writer.write(words.encode() + b"\n")
        answer: dict[str, Any] = json.loads(await reader.read())
        return answer
    finally:
        writer.transport.abort()


async def _connected(data: Path) -> tuple[socket.socket, int]:
    """A connection to the socket in this folder, and whose folder that is.

    Raises:
        OSError: There is none, or nobody listens.
    """
    folder = os.open(data, os.O_PATH | os.O_DIRECTORY)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        owner = os.fstat(folder).st_uid
        await asyncio.get_running_loop().sock_connect(connection, f"/proc/self/fd/{folder}/{SOCKET}")
    except BaseException:
        connection.close()
        raise
    finally:
        os.close(folder)
    return connection, owner
