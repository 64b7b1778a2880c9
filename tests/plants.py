"""A plant's data folder whose parts people have labelled, and recordings of the same kind of parts."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
from typer.testing import CliRunner, Result

from station.cli.app import app
from station.core.part import Pixels, Roi
from station.labels.label import InspectionSubject, Label, Region, ScanSubject, WholePart
from station.labels.sqlite import SqliteLabels
from tests.housings import Verdict
from tests.lines import LINES_PER_TURN
from tests.record_samples import PART_TYPE, blocks_of, decision, judgement, open_ledger, part
from tests.turned import turned

NOON = datetime(2026, 5, 2, 12, 0, 0, 0, UTC)
TYPE = replace(PART_TYPE, name="smh_385")
LEFT, RIGHT, WIDTH = 300, 685, 1000
"""Of the part on the camera's scan; the archive keeps 256 columns of background on both sides."""


def scan(seed: int) -> Pixels:
    """A part that turned once, on black."""
    image = np.zeros((LINES_PER_TURN, WIDTH), np.uint8)
    image[:, LEFT:RIGHT] = turned(seed, RIGHT - LEFT, 110)
    return image


@dataclass(frozen=True)
class Plant:
    """A data folder.

    Attributes:
        folder: Where it lies.
        ids: Of the inspections, by part id.
    """

    folder: Path
    ids: Mapping[str, str]

    @classmethod
    def at(cls, folder: Path, parts: Mapping[str, str], first_seed: int = 0) -> "Plant":
        """One that has inspected parts; each of them has the verdict of this name."""
        return cls(folder, asyncio.run(_inspected(folder, parts, first_seed)))

    def archived(self, part_id: str) -> Path:
        """The scan of a part."""
        (found,) = (self.folder / "archive").rglob(f"{self.ids[part_id]}.png")
        return found

    def say(self, part_id: str, name: str, who: str = "ada", region: Region | None = None, minutes: float = 0) -> None:
        """Label a part, or a place on it, so many minutes after noon."""
        subject = InspectionSubject(self.ids.get(part_id, part_id))
        self.add(subject, name, who, region, minutes)

    def add(
        self, subject: InspectionSubject | ScanSubject, name: str, who: str = "ada", region: Region | None = None,
        minutes: float = 0,
    ) -> None:  # fmt: skip
        """Label anything."""
        at = NOON + timedelta(minutes=minutes)
        SqliteLabels(self.folder).add([Label(subject, region or WholePart(), name, who, at)])


async def _inspected(folder: Path, parts: Mapping[str, str], first_seed: int) -> dict[str, str]:
    ids = {}
    for number, (part_id, verdict) in enumerate(parts.items()):
        row = Verdict.PITS if verdict == "pits" else Verdict.DEFECT_FREE
        ledger = await open_ledger(folder, archive=["pits", "defect_free"])
        inspection = await ledger.enter(part(part_id, number + 1), TYPE)
        judged = judgement(decision(row), blocks_of(scan(first_seed + number)), Roi(LEFT, RIGHT))
        await ledger.judged(inspection, judged)
        await ledger.close()  # which archives what waits: only so many scans may
        ids[part_id] = inspection.inspection_id
    return ids


def record(folder: Path, parts: Mapping[str, str | None], first_seed: int = 100) -> Path:
    """A recording whose list has a class of each part, and which has no truth."""
    folder.mkdir(parents=True)
    rows = []
    for number, (part_id, label) in enumerate(parts.items()):
        cv2.imwrite(str(folder / f"{part_id}.png"), scan(first_seed + number))
        rows.append({"file": f"{part_id}.png", "part_id": part_id, "part_type": "smh_385", "label": label})
    (folder / "recording.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def make(*words: object) -> Result:
    """What `station dataset make` comes to."""
    return CliRunner().invoke(app, ["dataset", "make", *map(str, words), "--jobs", "1"])


def made(*words: object) -> str:
    """What it says when it must succeed."""
    result = make(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def refused(*words: object) -> str:
    """Why it is refused, on one line; nothing is left of the data set."""
    result = make(*words)
    assert result.exit_code == 2, (result.output, result.exception)
    assert not Path(str(words[0])).exists()
    assert not list(Path(str(words[0])).parent.glob("*.unfinished"))
    return " ".join(result.output.split())
