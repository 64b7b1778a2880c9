"""Commands from the command line to a running station: a Unix socket, one line each way."""

import asyncio
import hashlib
import json
import os
import pwd
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from station.controller import Controller
from station.core.errors import ConfigError, StationError
from station.packml import Command
from station.records.alarms import alarm_row

ANSWER_TIMEOUT_S = 5.0


def address(data: Path) -> str:
    """Where the station that uses this data folder listens: in Linux' abstract namespace, so nothing is left behind."""
    name = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:16]
    return f"\0inspection-station-{os.getuid()}-{name}"


@asynccontextmanager
async def listening(controller: Controller, data: Path) -> AsyncIterator[None]:
    """While in this context, `station command` and `station alarms` of the same user (or root) reach the controller.

    Raises:
        ConfigError: Another station listens for this data folder.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            if (user := _peer(writer)) in {0, os.getuid()}:
                words = (await reader.readline()).decode(errors="replace").split()
                writer.write(json.dumps(_answer(controller, words, user)).encode() + b"\n")
                await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_unix_server(serve, address(data))
    except OSError as error:
        raise ConfigError("config.invalid", f"{data}: another station listens for it: {error.strerror}") from error
    try:
        yield
    finally:
        server.close()


def _peer(writer: asyncio.StreamWriter) -> int:
    """User id of whoever is connected."""
    credentials = writer.get_extra_info("socket").getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
    )
    return int(struct.unpack("3i", credentials)[1])


def _answer(controller: Controller, words: list[str], user: int) -> dict[str, Any]:
    refused = None
    try:
        match words:
            case ["status" | "alarms"]:
                pass
            case ["ack", code]:
                controller.acknowledge(None if code == "all" else code, _name_of(user))
            case [word]:
                controller.command(Command[word.upper()], f"{_name_of(user)} with `station command`")
            case _:
                refused = f"{' '.join(words)!r} is no command"
    except KeyError:
        refused = f"{words[0]!r} is no command"
    except StationError as error:
        refused = str(error)
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
        ConfigError: No station runs with this data folder.
    """
    answer = await ask(data, word)
    return {key: answer[key] for key in ("state", "reason", "refused")}


async def ask(data: Path, words: str) -> dict[str, Any]:
    """Send a command, `status`, `alarms`, `ack CODE` or `ack all`, and return all of the station's answer.

    Raises:
        ConfigError: No station runs with this data folder.
    """
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(address(data))
            writer.write(words.encode() + b"\n")
            answer: dict[str, Any] = json.loads(await reader.readline())
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError, ValueError) as error:
        raise ConfigError("config.invalid", f"no running station answers for the data folder {data}") from error
    return answer
