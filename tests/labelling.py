"""A data folder of parts to label, and `station label` in it, for the tests of labelling."""

import asyncio
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from typer.testing import CliRunner, Result

from station.cli.app import app
from station.core.errors import StationError
from tests.lines import LINES_PER_TURN
from tests.record_samples import PART_TYPE, blocks_of, judgement, open_ledger, part

COLUMNS = 480
"""Of the archived scan."""


@dataclass(frozen=True)
class Station:
    """A data folder, and the ids of a part whose scan was archived, of one without a scan, and of one in work."""

    folder: Path
    archived: str
    unarchived: str
    in_work: str

    @property
    def scan(self) -> Path:
        """The archived scan."""
        (found,) = (self.folder / "archive").rglob("*.png")
        return found

    @classmethod
    def at(cls, folder: Path) -> Self:
        """One that has inspected."""
        return cls(folder, *asyncio.run(_inspected(folder)))

    def copied(self, folder: Path) -> Self:
        """The same in another folder."""
        return replace(self, folder=shutil.copytree(self.folder, folder))

    def label(self, *words: object) -> Result:
        """What a command comes to."""
        return CliRunner().invoke(app, ["label", *map(str, words), "--data", str(self.folder)])

    def done(self, *words: object) -> str:
        """What a command says that must succeed."""
        result = self.label(*words)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    def refused(self, *words: object) -> StationError:
        """Why a command is refused."""
        error = self.label(*words).exception
        assert isinstance(error, StationError), error
        return error

    def asked(self, *words: object) -> Any:
        """What a command gives as JSON."""
        return json.loads(self.done(*words, "--json"))


async def _inspected(folder: Path) -> list[str]:
    image = np.full((LINES_PER_TURN, COLUMNS), 90, np.uint8)
    ledger = await open_ledger(folder, archive=["pits"])
    with_scan, without, in_work = [await ledger.enter(part(name), PART_TYPE) for name in ("SEEN", "UNSEEN", "OPEN")]
    await ledger.judged(with_scan, judgement(blocks=blocks_of(image), roi=None))
    await ledger.judged(without, judgement())
    await ledger.close()
    return [one.inspection_id for one in (with_scan, without, in_work)]
