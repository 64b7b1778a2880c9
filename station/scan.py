"""One turn of one part: arm, take the blocks as they come, score each while the next is exposed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from station.compute import ComputeThread
from station.core.camera_settings import ChunkSettings
from station.core.clock import Clock
from station.core.errors import StationError
from station.core.events import StripScored, Watcher
from station.core.part import Block, Inspection, LineAccount, Scores
from station.core.ports import LineCamera
from station.flow.acquire import Accountant
from station.judging import SurfaceJudge


@dataclass(frozen=True, slots=True)
class Scan:
    """What one turn gave.

    Attributes:
        blocks: The blocks as delivered; their pixels stay valid as long as somebody holds them.
        account: Where the lines went.
        scores: Scores of the strips that could be judged, in order.
        trouble: The first thing that went wrong with camera, part or network, or None.
        times_ns: Arrival and scoring of each block on CLOCK_MONOTONIC.
    """

    blocks: Sequence[Block]
    account: LineAccount
    scores: tuple[Scores, ...]
    trouble: StationError | None
    times_ns: dict[str, int]

    @property
    def last_line_ns(self) -> int | None:
        """End of the last line's exposure, or None when the scan has no end."""
        return self.blocks[-1].last_line_ns if self.account.valid else None


class Scanner:
    """Scans one turn at a time.

    Args:
        camera: The line-scan camera.
        compute: The one compute thread.
        clock: Monotonic time.
        watch: Told of every strip that was scored.
        chunks: What the camera's marks of its lines must come to.
    """

    def __init__(
        self, camera: LineCamera, compute: ComputeThread, clock: Clock, watch: Watcher, chunks: ChunkSettings
    ) -> None:
        self._camera = camera
        self._chunks = chunks
        self._compute = compute
        self._clock = clock
        self._watch = watch

    async def scan(self, inspection: Inspection, judge: SurfaceJudge) -> Scan:
        """One turn of the part on the jig; what goes wrong is part of the result, so that the part can be sorted."""
        blocks: list[Block] = []
        scoring: list[asyncio.Future[Scores]] = []
        times = {"armed": self._clock.monotonic_ns()}
        trouble: StationError | None = None
        accountant = Accountant(self._chunks)
        try:
            async with self._camera.turn() as turn:
                try:
                    async for block in turn.blocks():
                        accountant.take(block)
                        blocks.append(block)
                        times[f"block_{block.index}_last_line"] = block.last_line_ns
                        times[f"block_{block.index}_arrived"] = block.arrived_ns
                        scoring.append(self._score(inspection, judge, block, times))
                finally:
                    discarded = turn.discarded_blocks
                    answers = await asyncio.gather(*scoring, return_exceptions=True)
        except StationError as error:
            trouble, discarded, answers = error, 0, list(await asyncio.gather(*scoring, return_exceptions=True))
        scores = tuple(answer for answer in answers if isinstance(answer, Scores))
        return Scan(blocks, accountant.close(discarded), scores, trouble or _first_error(answers), times)

    def _score(
        self, inspection: Inspection, judge: SurfaceJudge, block: Block, times: dict[str, int]
    ) -> asyncio.Future[Scores]:
        future = self._compute.submit(judge.take, block)

        def scored(done: asyncio.Future[Scores]) -> None:
            times[f"block_{block.index}_scored"] = self._clock.monotonic_ns()
            if not done.cancelled() and done.exception() is None:
                self._watch(StripScored(inspection, done.result()))

        future.add_done_callback(scored)
        return future


def _first_error(answers: Sequence[Scores | BaseException]) -> StationError | None:
    for answer in answers:
        if isinstance(answer, StationError):
            return answer
        if isinstance(answer, BaseException):
            raise answer
    return None
