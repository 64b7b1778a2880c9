"""Commands from the command line to a running station: a Unix socket, one line each way."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from station.controller import Controller
from station.core.errors import ConfigError, StationError
from station.core.settings import runtime_dir
from station.packml import Command

ANSWER_TIMEOUT_S = 5.0


def socket_path(data: Path) -> Path:
    """Where the station that uses this data folder listens."""
    name = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:16]
    return runtime_dir() / f"control-{name}.sock"


@asynccontextmanager
async def listening(controller: Controller, data: Path) -> AsyncIterator[None]:
    """While in this context, `station command` reaches the controller."""
    path = socket_path(data)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            writer.write(json.dumps(_answer(controller, (await reader.readline()).decode().strip())).encode() + b"\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    path.chmod(0o600)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


def _answer(controller: Controller, word: str) -> dict[str, str | None]:
    refused = None
    if word != "status":
        try:
            controller.command(Command[word.upper()])
        except KeyError:
            refused = f"{word!r} is no command"
        except StationError as error:
            refused = str(error)
    fault, detail = controller.trouble
    reason = f"{fault.text} ({detail})" if fault and detail else fault.text if fault else None
    return {"state": controller.state.name, "reason": reason, "refused": refused}


async def send(data: Path, word: str) -> dict[str, str | None]:
    """Send one command word, or `status`, and return the station's answer.

    Raises:
        ConfigError: No station runs with this data folder.
    """
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(socket_path(data))
            writer.write(word.encode() + b"\n")
            answer = json.loads(await reader.readline())
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError, ValueError) as error:
        raise ConfigError("config.invalid", f"no running station answers for the data folder {data}") from error
    return {key: answer[key] for key in ("state", "reason", "refused")}
