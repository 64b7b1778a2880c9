"""The command line as a commander: a socket in the data folder, a line each way for every connection."""

import asyncio
import json
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog

from station.cell.desk import Desk
from station.core.alarms import alarm_row
from station.core.errors import ControlError
from station.core.peer import Peer
from station.core.place import displaced
from station.host.control import SOCKET, SURFACE
from station.host.hand_socket import hold
from station.host.watch import Watch
from station.host.wishes import obey

REQUEST_TIMEOUT_S = 2.0
"""How long a connection may take, from the first to the last byte, unless it watches or has the hand."""
REQUEST_BYTES = 1024
WATCH = ["watch"], ["watch", SURFACE]
"""The requests of who wants to be told what happens, for as long as it listens; and to see pictures of the surface."""
HAND = "hand"
"""The first word of who wants the hand, and has it for as long as the connection holds."""
CONNECTIONS = 32
"""So many at a time; one more is hung up on."""
NO_FILES_PAUSE_S = 1.0
"""How long nobody is accepted when the process has no file left for a connection."""
LOOK_S = 5.0
"""How often it is seen whether the socket lies in its place."""

log = structlog.get_logger()


class ControlSocket:
    """Takes what `station command` and `station alarms` ask to the desk, and tells what happens to those who watch.

    They are obeyed when they come from the station's own user, from root, or from a member of the commanding group.

    Args:
        data: The data folder.
        watch: Tells of the cell.
        group: The group whose members may command, too; None for nobody but this user and root.
        look_s: How often the socket is looked for, and made anew where somebody has deleted it.
    """

    def __init__(self, data: Path, watch: Watch, group: int | None = None, look_s: float = LOOK_S) -> None:
        self._path = data / SOCKET
        self._watch = watch
        self._look_s = look_s
        self._group = group
        self._listener: socket.socket | None = None
        self._own: os.stat_result | None = None
        self._busy: dict[asyncio.Task[None], socket.socket] = {}
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def opened(self) -> Iterator[None]:
        """While in this context, which needs the data folder claimed, the socket is there; who connects may wait.

        Raises:
            ControlError: The socket cannot be made.
        """
        try:
            self._open()
        except OSError as error:
            raise ControlError("control.no_socket", f"{self._path}: {error.strerror}") from error
        try:
            yield
        finally:
            self._shut()
            with suppress(OSError):
                if self._own is not None and not displaced(self._path, self._own):
                    self._path.unlink()

    async def serve(self, desk: Desk) -> None:
        """Take everybody's wish to the desk until cancelled; the socket is made anew where it is gone."""
        self._listen(desk)
        try:
            while True:
                await asyncio.sleep(self._look_s)
                self._see_to_its_place(desk)
        finally:
            self._shut()
            for task in self._busy:
                task.cancel()
            if self._busy:
                await asyncio.wait(tuple(self._busy))

    def _open(self) -> None:
        """Make the socket, in the place of one that a station that was killed has left.

        Raises:
            OSError: It cannot be made there.
        """
        listener = _bound(self._path, self._group)
        self._own = self._path.stat()
        listener.setblocking(False)
        listener.listen(CONNECTIONS)
        self._listener = listener

    def _listen(self, desk: Desk) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().add_reader(self._listener, self._accept, self._listener, desk)

    def _see_to_its_place(self, desk: Desk) -> None:
        """Make the socket anew where it was deleted or replaced."""
        try:
            if lost := self._what_became_of_it():
                self._shut()
                self._open()
                self._listen(desk)
                log.warning("control_socket_made_anew", detail=lost)
        except OSError:  # the data folder itself is not there: told by the records, tried again
            self._own = None

    def _what_became_of_it(self) -> str | None:
        """What is wrong with the socket, in words, or None while it lies in its place.

        Raises:
            OSError: The file system does not tell.
        """
        if self._own is None:
            return f"{self._path} could not be made when it was missed"
        return displaced(self._path, self._own)

    def _shut(self) -> None:
        """Listen no more; who has connected and was not accepted is hung up on by the kernel."""
        if self._timer is not None:
            self._timer.cancel()
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket, desk: Desk) -> None:
        """Take one connection. From here on it is answered or hung up on, also when the socket is closed at once."""
        loop = asyncio.get_running_loop()
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionError):
            return
        except OSError as error:  # no file is left for it: it waits in the kernel
            log.warning("command_not_accepted", detail=error.strerror)
            loop.remove_reader(listener)
            self._timer = loop.call_later(NO_FILES_PAUSE_S, loop.add_reader, listener, self._accept, listener, desk)
            return
        peer = Peer.of(connection)
        if len(self._busy) >= CONNECTIONS or not peer.commands(self._group):
            connection.close()
            return
        task = loop.create_task(self._converse(connection, peer, desk), name="command")
        self._busy[task] = connection
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._busy.pop(task).close()

    async def _converse(self, connection: socket.socket, peer: Peer, desk: Desk) -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(REQUEST_TIMEOUT_S) as deadline:
                reader, writer = await asyncio.open_unix_connection(sock=connection, limit=REQUEST_BYTES)
                try:
                    words = await _request(reader)
                    if words in WATCH:
                        deadline.reschedule(None)
                        await self._watch.attend(reader, writer, *words[1:])
                    elif words and words[0] == HAND:
                        deadline.reschedule(None)
                        await hold(words, peer, desk, (reader, writer))
                    else:
                        writer.write(json.dumps(_answered(words, peer, desk)).encode() + b"\n")
                        writer.close()
                        await writer.wait_closed()
                finally:
                    writer.transport.abort()


async def _request(reader: asyncio.StreamReader) -> list[str] | None:
    """The words of a request, or None where it is none."""
    try:
        line = await reader.readline()
    except ValueError:
        return None
    return line.decode(errors="replace").split()


def _answered(words: list[str] | None, peer: Peer, desk: Desk) -> dict[str, Any]:
    if words is None:
        return _answer(desk, f"a request is one line of at most {REQUEST_BYTES} bytes")
    return _answer(desk, obey(desk, words, peer))


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


def _answer(desk: Desk, refused: str | None) -> dict[str, Any]:
    view = desk.view
    reason = view.reason and view.reason.words
    alarms = [alarm_row(alarm) for alarm in reversed(view.alarms)]
    return {"state": view.state.name, "reason": reason, "refused": refused, "alarms": alarms}
