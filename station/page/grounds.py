"""Why a network says what it says of a part: asked of a process of its own, one at a time, and kept for a while."""

import asyncio
import base64
import sys
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from station.core.errors import PageError
from station.core.records import JsonObject
from station.core.section import Section
from station.core.settings import ModelSettings, Settings

COMMAND = "from station.page.looking import main; main()"
PATIENCE_S = 60.0
"""So long a network may look."""
KEPT = 16
"""Answers of so many parts are kept."""
MOST_WAITING = 4
"""So many people may wait for theirs."""


class Question(Section):
    """What is asked.

    Attributes:
        record: All that is recorded of the inspection.
        folder: The data folder.
        bundle: Folder of the bundle that judged it.
        model: Engine and precision.
        patch: The patch that is looked at, from 0.
        surface: The class for which evidence is looked for; nothing for the class that passes.
    """

    record: dict[str, Any]
    folder: str
    bundle: str
    model: ModelSettings
    patch: int
    surface: str


class Answer(Section):
    """What was seen; pictures are PNG in base64.

    Attributes:
        evidence: The patch, where most speaks for its class outlined.
        like: Pictures of patches of the training, the most alike first.
        classes: The class of each of those; empty where nobody knows it.
        refused: Why nothing was seen; empty where something was.
    """

    evidence: str = ""
    like: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a network shows of a part.

    Attributes:
        patch: The patch that was looked at.
        surface: Its class.
        pictures: PNG: the patch with the evidence, then what of the training is most like it.
        classes: The class of each of the latter; empty where nobody knows it.
    """

    patch: int
    surface: str
    pictures: tuple[bytes, ...]
    classes: tuple[str, ...]


class Grounds:
    """What networks show of parts; used from one event loop.

    Args:
        folder: The data folder.
        settings: Engine and precision.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._kept: OrderedDict[str, Seen] = OrderedDict()
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._looking: asyncio.subprocess.Process | None = None

    async def of(self, record: JsonObject, bundle: Path, patch: int, surface: str) -> Seen:
        """What the network that judged a part shows of one of its patches.

        Args:
            record: All that is recorded of the inspection.
            bundle: The network's folder.
            patch: From 0.
            surface: The patch's class.

        Raises:
            PageError: `page.refused`: too many wait; `page.no_grounds`: the network cannot look at it.
        """
        name = record["inspection_id"]
        if name not in self._kept and self._waiting >= MOST_WAITING:
            raise PageError("page.refused", "the network looks at other parts; try again in a minute")
        self._waiting += 1
        try:
            async with self._turn:
                if name not in self._kept:
                    self._keep(name, await self._ask(record, bundle, patch, surface))
        finally:
            self._waiting -= 1
        self._kept.move_to_end(name)
        return self._kept[name]

    async def close(self) -> None:
        """The page ends; nobody looks any more."""
        if self._looking is not None:
            await _end(self._looking)

    def _keep(self, name: str, seen: Seen) -> None:
        self._kept[name] = seen
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    async def _ask(self, record: JsonObject, bundle: Path, patch: int, surface: str) -> Seen:
        passing = surface == self._settings.table.passing.name
        question = Question(
            record=record, folder=str(self._folder), bundle=str(bundle), model=self._settings.model, patch=patch,
            surface="" if passing else surface,
        )  # fmt: skip
        said, complaint = await self._told(question.model_dump_json().encode())
        try:
            answer = Answer.model_validate_json(said)
        except ValidationError as error:
            raise PageError("page.no_grounds", f"it ended without an answer: {complaint}") from error
        if answer.refused:
            raise PageError("page.no_grounds", answer.refused)
        pictures = tuple(map(base64.b64decode, (answer.evidence, *answer.like)))
        return Seen(patch, surface, pictures, answer.classes)

    async def _told(self, question: bytes) -> tuple[bytes, str]:
        """What the process answers, and the last line that it complains of."""
        self._looking = await asyncio.create_subprocess_exec(
            sys.executable, "-c", COMMAND,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(PATIENCE_S):
                said, complaint = await self._looking.communicate(question)
        except TimeoutError as error:
            raise PageError("page.no_grounds", f"it took longer than {PATIENCE_S:g} s") from error
        finally:
            await _end(self._looking)
            self._looking = None
        lines = complaint.decode(errors="replace").strip().splitlines()
        return said, lines[-1] if lines else "without a word"


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
