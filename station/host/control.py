"""Commands from the command line to a running station: a line each way, over a socket in its data folder.

Nobody but the station's own user can make anything in the data folder, so nobody else can take the socket's place; each
end asks the kernel who is at the other one all the same, before it says or believes anything.
"""

import asyncio
import json
import os
import socket
from pathlib import Path
from typing import Any

from station.core.errors import ControlError
from station.core.peer import Peer, user_name

SOCKET = "station.socket"
ANSWER_TIMEOUT_S = 5.0
"""How long a command waits for the station's answer."""


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
            detail = f"{data} belongs to {user_name(owner)}, but {user_name(peer.user)} answers for it"
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
