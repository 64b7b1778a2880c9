"""One turn of one part: arm, take the blocks as they come, score each while the next is exposed.

    block 0 ─ block 1 ─ … ─ block n ┐ last line
       └ score   └ score      └ score ┴ what else must be known beside it ┐ decision ─ (disarm)

Between the last line and the decision lies nothing but the last block's own patches: what else has to be asked is
asked meanwhile, and the camera is disarmed when the decision is on its way.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from station.cell.compute import ComputeThread
from station.cell.judging import SurfaceJudge
from station.core.algorithm1 import surfaces_of
from station.core.camera_settings import ChunkSettings
from station.core.clock import Clock
from station.core.errors import StationError
from station.core.events import StripScored, Watcher
from station.core.part import Block, Inspection, LineAccount, PartType, Scores
from station.core.ports.camera import LineCamera
from station.core.timeline import BlockTimes, ScanTimes
from station.core.verdicts import Outputs
from station.flow.acquire import Accountant


@dataclass(frozen=True, slots=True)
class Scored:
    """A strip's scores, and when the compute thread had them."""

    scores: Scores
    at_ns: int


@dataclass(frozen=True, slots=True)
class Scan:
    """What one turn gave.

    Attributes:
        blocks: The blocks as delivered; their pixels stay valid as long as somebody holds them.
        account: Where the lines went.
        answers: For each block its scores, or why there are none.
        trouble: The first thing that went wrong with camera, part or network, or None.
        armed_ns: When the camera was ordered to wait for the index pulse.
    """

    blocks: Sequence[Block]
    account: LineAccount
    answers: Sequence[Scored | Exception]
    trouble: StationError | None
    armed_ns: int

    @property
    def scores(self) -> tuple[Scores, ...]:
        """Scores of the strips that could be judged, in order."""
        return tuple(answer.scores for answer in self.answers if isinstance(answer, Scored))

    @property
    def last_line_ns(self) -> int | None:
        """End of the last line's exposure, or None when the scan has no end."""
        return self.blocks[-1].last_line_ns if self.account.valid else None

    def times(self, part_type: PartType, decided_ns: int) -> ScanTimes:
        """The deadline ledger up to the decision.

        No device tells when the index pulse came: the first line's exposure begins with it, one block's exposure before
        the first block's last line. Where blocks come faster than they are exposed, it is not known.
        """
        taken = [
            BlockTimes(block.last_line_ns, block.arrived_ns, answer.at_ns if isinstance(answer, Scored) else None)
            for block, answer in zip(self.blocks, self.answers, strict=True)
        ]
        begin_ns = taken[0].last_line_ns - round(1e9 * part_type.block_s) if taken else 0
        return ScanTimes(self.armed_ns, begin_ns if begin_ns >= self.armed_ns else None, tuple(taken), decided_ns)


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
        self._armed = AsyncExitStack()

    async def scan(
        self,
        inspection: Inspection,
        judge: SurfaceJudge,
        outputs: Outputs,
        at_last_line: Callable[[], Awaitable[None]],
    ) -> Scan:
        """One turn of the part on the jig; what goes wrong is part of the result, so that the part can be sorted.

        Every block that comes is scored; none is left out, however many wait. The camera is still armed when this
        returns, until `disarm`.

        Args:
            inspection: The inspection.
            judge: Judges its blocks.
            outputs: What the columns of its scores mean.
            at_last_line: What is asked for when the last line is here, and awaited together with the last scores.
        """
        armed_ns = self._clock.monotonic_ns()
        blocks: list[Block] = []
        scoring: list[asyncio.Future[Scored]] = []
        asking: asyncio.Future[None] | None = None
        accountant = Accountant(inspection.part_type.geometry, self._chunks)

        def take(block: Block) -> None:
            accountant.take(block)
            blocks.append(block)
            scoring.append(self._score(inspection, judge, outputs, block))

        try:
            trouble, discarded = await self._take_turn(take)
            asking = asyncio.ensure_future(at_last_line())
            answers = [
                await _answer(one) for one in scoring
            ]  # in order: the last one wakes this task, and nothing else
            await asking
        except asyncio.CancelledError:
            for one in scoring:
                one.cancel()
            if asking is not None:
                asking.cancel()
            raise
        trouble = trouble or _first_error(answers)
        return Scan(blocks, judge.witnessed(accountant.close(discarded)), answers, trouble, armed_ns)

    async def disarm(self) -> None:
        """Disarm the camera; harmless when it is not armed."""
        await self._armed.aclose()

    async def _take_turn(self, take: Callable[[Block], None]) -> tuple[StationError | None, int]:
        """Arm and take every block; what went wrong, and how many blocks the camera's software threw away."""
        discarded = 0
        try:
            turn = await self._armed.enter_async_context(self._camera.turn())
            try:
                async for block in turn.blocks():
                    take(block)
            finally:
                discarded = turn.discarded_blocks
        except StationError as error:
            return error, discarded
        return None, discarded

    def _score(
        self, inspection: Inspection, judge: SurfaceJudge, outputs: Outputs, block: Block
    ) -> asyncio.Future[Scored]:
        future = self._compute.submit(self._judge, judge, block)
        future.add_done_callback(lambda done: self._tell(inspection, outputs, done))
        return future

    def _judge(self, judge: SurfaceJudge, block: Block) -> Scored:
        scores = judge.take(block)
        return Scored(scores, self._clock.monotonic_ns())

    def _tell(self, inspection: Inspection, outputs: Outputs, done: "asyncio.Future[Scored]") -> None:
        if not done.cancelled() and done.exception() is None:
            scores = done.result().scores
            self._watch(StripScored(inspection, scores, surfaces_of(scores.probabilities, outputs)))


async def _answer(scoring: asyncio.Future[Scored]) -> Scored | Exception:
    try:
        return await scoring
    except Exception as error:  # noqa: BLE001  # of any kind; `_first_error` tells the station's own from a bug
        return error


def _first_error(answers: Sequence[Scored | Exception]) -> StationError | None:
    for answer in answers:
        if isinstance(answer, StationError):
            return answer
        if isinstance(answer, Exception):
            raise answer
    return None
