"""One turn of one part: arm, take the blocks as they come, score each while the next is exposed.

    armed ┌ block 0 ─ block 1 ─ … ─ block n ┐ last line                                        ┐
          │    └ score   └ score      └ score ┴ what else must be known beside it ┐ decision … │ disarmed

Between the last line and the decision lies nothing but the last block's own patches: what else has to be asked is
asked meanwhile, and the camera is disarmed when the decision is on its way.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from station.cell.compute import ComputeThread
from station.cell.judging import SurfaceJudge
from station.cell.scoring import Scored, Scoring
from station.core.algorithm1 import surfaces_of
from station.core.broadcast import Broadcast
from station.core.camera_settings import ChunkSettings
from station.core.clock import Clock
from station.core.errors import StationError
from station.core.events import StripScored, StripSeen
from station.core.light import Light
from station.core.part import Block, Inspection, LineAccount, PartType, Roi, Scores
from station.core.ports.camera import LineCamera, Turn
from station.core.timeline import BlockTimes, ScanTimes
from station.core.verdicts import Outputs
from station.flow.acquire import Accountant
from station.flow.surroundings import Beside


@dataclass(frozen=True, slots=True)
class Scan:
    """What one turn gave.

    Attributes:
        blocks: The blocks as delivered; their pixels stay valid as long as somebody holds them.
        account: Where the lines went.
        answers: For each block its scores, or why there are none.
        roi: The part's columns, or None when they were not found.
        light: How the part was lit, or None when that was not seen.
        error: The first thing that went wrong with camera, part or network, or None.
        armed_ns: When the camera was ordered to wait for the index pulse.
        look_beside: Reckons what it shows beside the part, None when that was not looked at.
    """

    blocks: Sequence[Block]
    account: LineAccount
    answers: Sequence[Scored | Exception]
    roi: Roi | None
    light: Light | None
    error: StationError | None
    armed_ns: int
    look_beside: Callable[[], Beside | None] = lambda: None

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
        broadcast: Tells of every strip that was scored.
        chunks: What the camera's marks of its lines must come to.
    """

    def __init__(
        self, camera: LineCamera, compute: ComputeThread, clock: Clock, broadcast: Broadcast, chunks: ChunkSettings
    ) -> None:
        self._camera = camera
        self._compute = compute
        self._clock = clock
        self._broadcast = broadcast
        self._chunks = chunks

    @asynccontextmanager
    async def armed(self, inspection: Inspection, judge: SurfaceJudge, outputs: Outputs) -> AsyncIterator["ArmedTurn"]:
        """Wait with the camera for the index pulse; on leaving the context it is disarmed.

        A camera that cannot be armed gives a turn without a block: what goes wrong is part of the scan, so that the
        part can be sorted.

        Args:
            inspection: The inspection.
            judge: Judges its blocks.
            outputs: What the columns of its scores mean.
        """

        def tell(block: Block, scores: Scores) -> None:
            self._broadcast.tell(StripScored(inspection, scores, surfaces_of(scores.probabilities, outputs)))
            if (roi := judge.roi) is not None:
                self._broadcast.tell(StripSeen(inspection, block.index, block.pixels[:, roi.left : roi.right]))

        scoring = Scoring(self._compute, self._clock, judge, tell)
        accountant = Accountant(inspection.part_type.geometry, self._chunks)
        turn = ArmedTurn(judge, accountant, scoring, self._clock.monotonic_ns())
        async with AsyncExitStack() as stack:
            try:
                turn.began(await stack.enter_async_context(self._camera.turn()))
            except StationError as error:
                turn.failed(error)
            stack.callback(scoring.cancel)
            yield turn


class ArmedTurn:
    """One turn of one part, from the armed camera to the scores.

    Args:
        judge: Judges the blocks.
        accountant: Keeps the account of the lines.
        scoring: Where the blocks go.
        armed_ns: When the camera was ordered to wait for the index pulse.
    """

    def __init__(self, judge: SurfaceJudge, accountant: Accountant, scoring: Scoring, armed_ns: int) -> None:
        self._judge = judge
        self._accountant = accountant
        self._scoring = scoring
        self._armed_ns = armed_ns
        self._turn: Turn | None = None
        self._blocks: list[Block] = []
        self._error: StationError | None = None

    def began(self, turn: Turn) -> None:
        """The camera waits for the index pulse."""
        self._turn = turn

    def failed(self, error: StationError) -> None:
        """The turn gives no more blocks; the first reason stays."""
        self._error = self._error or error

    async def take_blocks(self, before_last: Callable[[], None] = lambda: None) -> None:
        """Have every block judged as it comes; returns at the last line, or when no more comes.

        Args:
            before_last: Called when all blocks but one are here.
        """
        if self._turn is None:
            return
        try:
            async for block in self._turn.blocks():
                self._accountant.take(block)
                self._blocks.append(block)
                self._scoring.submit(block)
                if self._accountant.awaits_last:
                    before_last()
        except StationError as error:
            self.failed(error)

    async def finish(self, beside: Coroutine[Any, Any, None]) -> Scan:
        """What the turn gave, when its last strip is scored.

        Args:
            beside: What else must be known; it is asked for now, and awaited together with the last scores.
        """
        asking = asyncio.ensure_future(beside)
        try:
            answers = await self._scoring.answers()
            await asking
        finally:
            asking.cancel()
        discarded_blocks = self._turn.discarded_blocks if self._turn is not None else 0
        account = self._judge.witnessed(self._accountant.close(discarded_blocks))
        error = self._error or _first_error(answers)
        judge = self._judge
        return Scan(self._blocks, account, answers, judge.roi, judge.light, error, self._armed_ns, judge.look_beside)


def _first_error(answers: Sequence[Scored | Exception]) -> StationError | None:
    for answer in answers:
        if isinstance(answer, StationError):
            return answer
        if isinstance(answer, Exception):
            raise answer
    return None
