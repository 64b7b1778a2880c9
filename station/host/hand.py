"""The hand from the side of who takes it: see `station.host.hand_socket`."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from station.core.errors import ControlError, StationError
from station.host.control import ANSWER_TIMEOUT_S, asked, told

GONE = "the station has ended"


class HeldHand:
    """The hand while it is held; `listen` must run beside.

    Args:
        reader: What the station says.
        writer: What it is told.
        until: When the hand ends by itself, UTC.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, until: str) -> None:
        self._reader = reader
        self._writer = writer
        self._one_at_a_time = asyncio.Lock()
        self._answers: asyncio.Queue[str | None] = asyncio.Queue()
        self._ended: str | None = None
        self.until = until

    @property
    def over(self) -> bool:
        """Whether it is over."""
        return self._ended is not None

    async def listen(self) -> str:
        """Return why the hand is over, when it is."""
        try:
            while line := await self._reader.readline():
                said = json.loads(line)
                if said["kind"] == "ended":
                    return self._over(said["why"])
                self._answers.put_nowait(said["refused"])
        except (OSError, ValueError):
            pass
        return self._over(GONE)

    async def command(self, word: str) -> str | None:
        """Have a command carried out; why it was refused, or None. What comes after the hand is over is refused.

        Raises:
            ControlError: The station does not answer in time; whether it has obeyed is not known.
        """
        async with self._one_at_a_time:
            if self._ended is None:
                self._writer.write(word.encode() + b"\n")
                try:
                    async with asyncio.timeout(ANSWER_TIMEOUT_S):
                        refused = await self._answers.get()
                except TimeoutError as error:
                    self._writer.transport.abort()
                    raise ControlError("control.no_answer", f"nothing came within {ANSWER_TIMEOUT_S:g} s") from error
                if self._ended is None:
                    return refused
            return str(StationError("hand.gone", self._ended))

    def give_back(self) -> None:
        """It is not needed any more; `listen` returns when the station has it."""
        self._writer.write(b"back\n")

    def _over(self, why: str) -> str:
        self._ended = why
        self._answers.put_nowait(None)
        return why


@asynccontextmanager
async def held_hand(data: Path, who: str, why: str, seconds: int) -> AsyncIterator[HeldHand]:
    """The hand of the station of this data folder; on leaving it is given back.

    Args:
        data: The data folder.
        who: For whom, without a colon.
        why: The reason.
        seconds: For how long.

    Raises:
        StationError: `hand.taken`, `hand.refused`: the station does not give it.
        ControlError: As for `station.host.control.ask`.
    """
    with told(data, ANSWER_TIMEOUT_S):
        async with asked(data, f"hand {seconds} for {who}: {why}") as (reader, writer):
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                said: dict[str, Any] = json.loads(await reader.readline())
            if said["kind"] != "held":
                raise StationError(said["code"], said["detail"])
            yield HeldHand(reader, writer, said["until"])
