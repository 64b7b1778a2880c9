"""The scores of one turn: every block to the compute thread as it comes, the answers in order."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from station.cell.compute import ComputeThread
from station.cell.judging import SurfaceJudge
from station.core.clock import Clock
from station.core.part import Block, Scores


@dataclass(frozen=True, slots=True)
class Scored:
    """A strip's scores, and when the compute thread had them."""

    scores: Scores
    at_ns: int


class Scoring:
    """The blocks of one turn on their way through the compute thread.

    Args:
        compute: The one compute thread.
        clock: Monotonic time.
        judge: Judges the blocks.
        tell: Told of every block whose strip was scored.
    """

    def __init__(
        self, compute: ComputeThread, clock: Clock, judge: SurfaceJudge, tell: Callable[[Block, Scores], None]
    ) -> None:
        self._compute = compute
        self._clock = clock
        self._judge = judge
        self._tell = tell
        self._answers: list[asyncio.Future[Scored]] = []

    def submit(self, block: Block) -> None:
        """Have a block judged after those before it; none is left out, however many wait."""
        answer = self._compute.submit(self._score, block)
        answer.add_done_callback(partial(self._scored, block))
        self._answers.append(answer)

    async def answers(self) -> Sequence[Scored | Exception]:
        """For each block its scores, or why there are none; in order, so that only the last one wakes this task."""
        return [await _answer(one) for one in self._answers]

    def cancel(self) -> None:
        """Have no more blocks judged; harmless when all are."""
        for answer in self._answers:
            answer.cancel()

    def _score(self, block: Block) -> Scored:
        scores = self._judge.take(block)
        return Scored(scores, self._clock.monotonic_ns())

    def _scored(self, block: Block, answer: "asyncio.Future[Scored]") -> None:
        if not answer.cancelled() and answer.exception() is None:
            self._tell(block, answer.result().scores)


async def _answer(scoring: "asyncio.Future[Scored]") -> Scored | Exception:
    try:
        return await scoring
    except Exception as error:  # noqa: BLE001  # of any kind; `scan.first_error` tells the station's own from a bug
        return error
