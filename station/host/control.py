"""Commands from the command line to a running station, and what it tells of itself: lines over a socket in its folder.

Nobody but the station's own user can make anything in the data folder, so nobody else can take the socket's place; each
end asks the kernel who is at the other one all the same, before it says or believes anything.
"""

import asyncio
import json
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from station.core.errors import ControlError
from station.core.peer import Peer, user_name
from station.core.promise import SUSPENDED

SOCKET = "station.socket"
ANSWER_TIMEOUT_S = 5.0
"""How long a command waits for the station's answer."""
SILENCE_S = 3.0
"""A station that tells nothing for so long is not heard any more; it tells something every second."""
VERSION = 1
"""Of what a station tells; it rises when a section or a field means something else, or goes."""
SURFACE = "surface"
"""What is told of pictures only to who asks for it, and how the names of their sections begin."""
REFUSED = "refused"
"""The kind of the only line for who may not watch."""
LINE_BYTES = 1 << 20
"""The longest line."""


async def send(data: Path, word: str) -> dict[str, str | None]:
    """Send one command word, or `status`, and return the station's answer.

    `suspended` says of which part types what is promised does not hold, and why; None where it does.

    Raises:
        ControlError: As for `ask`.
    """
    answer = await ask(data, word)
    suspended = (alarm["detail"] for alarm in answer["alarms"] if alarm["code"] == SUSPENDED and alarm["active"])
    return {key: answer[key] for key in ("state", "reason", "refused")} | {"suspended": next(suspended, None)}


async def ask(data: Path, words: str, timeout_s: float = ANSWER_TIMEOUT_S) -> dict[str, Any]:
    """Send a line of those that `station.host.wishes` lists; all of the answer.

    Raises:
        ControlError: No station runs with this data folder, it does not answer in time, it may not be commanded by
            this user, or who answers is not the folder's owner; then nothing was sent.
    """
    with told(data, timeout_s):
        async with asyncio.timeout(timeout_s), asked(data, words) as (reader, _writer):
            answer: dict[str, Any] = json.loads(await reader.read())
            return answer


async def watch(data: Path, silence_s: float = SILENCE_S, *more: str) -> AsyncGenerator[dict[str, Any], None]:
    """What the station tells of itself, as `station/host/watch.md` says: the whole state first; it ends by raising.

    Close it (`contextlib.aclosing`) when you have heard enough.

    Args:
        data: The station's data folder.
        silence_s: So long nothing may be told.
        more: What is wanted beside what everybody is told: `surface`.

    Raises:
        ControlError: As for `ask`; it is of another version, or too many watch already; nothing was told for too long,
            or the station has ended.
    """
    with told(data, silence_s):
        async with asked(data, " ".join(("watch", *more))) as (reader, _writer):
            while True:
                async with asyncio.timeout(silence_s):
                    line = await reader.readline()
                heard: dict[str, Any] = json.loads(line)
                if (version := heard.get("version")) != VERSION:
                    said = f"it tells version {version}, known is version {VERSION}"
                    raise ControlError("control.other_version", f"{data}: {said}")
                if heard["kind"] == REFUSED:
                    raise ControlError("control.too_many_watch", heard["reason"])
                yield heard


@contextmanager
def told(data: Path, timeout_s: float) -> Iterator[None]:
    """What goes wrong in the conversation, as a fault."""
    try:
        yield
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


@asynccontextmanager
async def asked(data: Path, words: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection over which this was asked, while in this context.

    Raises:
        OSError: There is no station, or the connection broke.
        ControlError: Who answers is not the folder's owner.
    """
    connection, owner = await _connected(data)
    try:
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=LINE_BYTES)
    except BaseException:
        connection.close()
        raise
    try:
        if not (peer := Peer.of(connection)).serves(owner):
            detail = f"{data} belongs to {user_name(owner)}, but {user_name(peer.user)} answers for it"
            raise ControlError("control.stranger", detail)
        writer.write(words.encode() + b"\n")
        yield reader, writer
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
