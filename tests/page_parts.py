"""A data folder of inspected parts, as the page shows them."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from station.core.errors import FAULTS
from station.core.judgement import Defect, Judgement
from station.core.part import Decision, Pixels, Roi
from station.core.timeline import BlockTimes, ScanTimes
from tests.housings import CLASSES, Destination, Verdict
from tests.lines import LINES_PER_TURN
from tests.record_samples import PART_TYPE, HandClock, account, blocks_of, judgement, open_ledger, part

COLUMNS, ROI = 900, Roi(300, 684)
STRANGE = "<b>&'\"</b>"
"""An id that a page must not take for HTML."""


def scan() -> Pixels:
    """A turn whose every pixel tells where it is."""
    line, column = np.mgrid[0:LINES_PER_TURN, 0:COLUMNS]
    return ((line // 7 + column * 3) % 251).astype(np.uint8)


def decided(verdict: Verdict, code: str | None = None) -> Decision:
    """A decision in which patches 2 and 9 show pits."""
    probabilities = np.full((16, 5), 0.01, np.float32)
    probabilities[:, CLASSES.index("defect_free")] = 0.96
    for patch in (2, 9):
        probabilities[patch, CLASSES.index("defect_free")] = 0.11
        probabilities[patch, CLASSES.index("pits")] = 0.86
    return Decision(verdict, Verdict.PITS, FAULTS[code] if code else None, "as measured", 0.86, 9, 2, probabilities)


@dataclass(frozen=True)
class Inspected:
    """The folder, and the ids of its parts."""

    folder: Path
    pits: str
    good: str
    review: str
    second_review: str
    in_work: str

    @classmethod
    def at(cls, folder: Path) -> Self:
        """One that has inspected."""
        return cls(folder, *asyncio.run(_inspected(folder)))


async def _inspected(folder: Path) -> list[str]:
    whole, doubt = judged_pits(), doubted()
    good = replace(judgement(decided(Verdict.DEFECT_FREE)), defects=())
    return await inspect(folder, [
        (STRANGE, whole), ("GOOD", good), ("DOUBT-1", doubt), ("DOUBT-2", doubt), ("OPEN", None),
    ])  # fmt: skip


def judged_pits() -> Judgement:
    """All that a judgement may hold: a scan, two defects, times."""
    times = ScanTimes(5, 1_000_000, (BlockTimes(2_000_000, 3_000_000, 4_000_000),), 5_000_000)
    return replace(judgement(decided(Verdict.PITS), blocks_of(scan()), ROI, account(), times), defects=(
        Defect("pits", 9, 0.86, 180.0, None, None, None), Defect("pits", 2, 0.86, 45.0, None, 1.5, None),
    ))  # fmt: skip


def doubted() -> Judgement:
    """The same, of which the network was not sure."""
    return replace(judged_pits(), decision=decided(Verdict.REVIEW, "part.low_confidence"))


async def inspect(folder: Path, parts: Iterable[tuple[str, Judgement | None]]) -> list[str]:
    """Have these parts inspected, those without a judgement not to their end; returns the inspections' ids."""
    clock = HandClock()
    ledger = await open_ledger(folder, clock, archive=["pits", "review"])
    entered = []
    for number, (name, judged) in enumerate(parts):
        inspection = await ledger.enter(part(name, number + 1), PART_TYPE)
        await ledger.order("robot", "load", 0, inspection)
        if judged is not None:
            await ledger.judged(inspection, judged)
            await ledger.sorted(inspection, Destination.BIN_REVIEW)
        entered.append(inspection.inspection_id)
        clock.advance(seconds=10)
    await ledger.close()
    return entered
