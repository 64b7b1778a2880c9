"""Parts, judgements and a clock for the tests of the records."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from station.core.errors import FAULTS, Fault
from station.core.judgement import JudgedBy, Judgement
from station.core.part import (
    Announcement,
    Block,
    Decision,
    LineAccount,
    ModelIdentity,
    PartType,
    Pixels,
    Probabilities,
    Roi,
)
from station.core.settings import RecordSettings
from station.core.table import housings
from station.core.timeline import ScanTimes
from station.core.verdicts import Classes
from station.records.ledger import SqliteLedger
from tests.housings import Verdict
from tests.lines import BLOCKS_PER_TURN, LINES_PER_BLOCK, LINES_PER_TURN
from tests.turned import GEOMETRY

CONFIGURATION = ("c0ffee" + "0" * 58, '{"station": {"name": "line 1"}}')
MODEL = ModelIdentity("inception-cnn-1", "ab" * 32)
PART_TYPE = PartType("SMH-385", 7, 385, 6, 3, 21.5, 120.0, 40.5, GEOMETRY)
START = datetime(2026, 5, 1, 6, 0, 0, 123_000, UTC)
TABLE = housings()
CLASSES = tuple(surface.name for surface in TABLE.surfaces)
JUDGED_BY = JudgedBy(MODEL, CLASSES, CONFIGURATION[0])
INTERRUPTED = FAULTS["part.interrupted"]


class HandClock:
    """A clock that a test sets; monotonic time is 1 s at `START`, unless the date is stepped."""

    def __init__(self, now: datetime = START, *, synchronised: bool = True) -> None:
        self.moment = now
        self.is_synchronised = synchronised
        self._stepped = timedelta()

    def monotonic_ns(self) -> int:
        return 1_000_000_000 + round((self.moment - self._stepped - START) / timedelta(microseconds=1)) * 1000

    def synchronised(self) -> bool:
        return self.is_synchronised

    def now(self) -> datetime:
        return self.moment

    def advance(self, **duration: float) -> None:
        self.moment += timedelta(**duration)

    def step(self, **duration: float) -> None:
        """The date alone is set."""
        self.moment += timedelta(**duration)
        self._stepped += timedelta(**duration)


def part(part_id: str = "SMH-0001", sequence: int = 1) -> Announcement:
    return Announcement(sequence, part_id, PART_TYPE.code)


def scores(seed: int = 0) -> Probabilities:
    return np.random.default_rng(seed).dirichlet(np.ones(5), 16).astype(np.float32)


def decision(
    verdict: Verdict = Verdict.PITS, fault: Fault | None = None, probabilities: Probabilities | None = None
) -> Decision:
    given = scores() if probabilities is None else probabilities
    return Decision(verdict, Verdict.PITS, fault, "as measured", 0.75, 5, 3, given)


def account(fault: Fault | None = None) -> LineAccount:
    return LineAccount(LINES_PER_TURN, LINES_PER_TURN, BLOCKS_PER_TURN, tuple(range(8)), 0, fault, "3584 lines")


def blocks_of(image: Pixels) -> list[Block]:
    """The image as the camera delivers it."""
    count = len(image) // LINES_PER_BLOCK
    parts = np.split(image, count)
    return [Block(index, index, pixels, LINES_PER_BLOCK, index, index) for index, pixels in enumerate(parts)]


def judgement(
    chosen: Decision | None = None,
    blocks: Sequence[Block] = (),
    roi: Roi | None = Roi(1000, 1385),  # noqa: B008  # frozen
    lines: LineAccount | None = None,
    times: ScanTimes = ScanTimes(5, None, (), 17),  # noqa: B008  # frozen
) -> Judgement:
    return Judgement(
        decision=chosen or decision(),
        account=lines or account(),
        roi=roi,
        features={"Width": 5472, "ExposureTime": 40.5, "PixelFormat": "Mono8", "ReverseX": False, "Gain": float("inf")},
        by=JUDGED_BY,
        times=times,
        ms_after_last_line=12.25,
        blocks=blocks,
    )


async def open_ledger(
    folder: Path, clock: HandClock | None = None, table: Classes = TABLE, **settings: object
) -> SqliteLedger:
    rules = RecordSettings.model_validate(settings)
    return await SqliteLedger.open(folder, rules, clock or HandClock(), CONFIGURATION, table)
