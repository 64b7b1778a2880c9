"""One turn: every block is scored and told of, and what goes wrong is part of the scan, unless it is a bug."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from station.cell.compute import ComputeThread
from station.cell.scan import ArmedTurn, Scanner
from station.core.broadcast import Broadcast
from station.core.camera_settings import ChunkSettings
from station.core.clock import SystemClock
from station.core.errors import CameraError, ModelError
from station.core.events import CellEvent, StripScored, StripSeen
from station.core.part import Block, Inspection, LineAccount, Roi, Scores
from tests.contract.fake_camera import FakeLineCamera, FakeTurn
from tests.contract.fake_ledger import FakeLedger
from tests.housings import OUTPUTS
from tests.lines import BLOCKS_PER_TURN
from tests.record_samples import PART_TYPE, part, scores
from tests.turned import turned


class Judge:
    """Gives each block scores; fails where it is told to.

    Attributes:
        failure: What it raises of block 3, or None.
        taken: The blocks that it has judged.
    """

    roi = light = None

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.taken: list[int] = []

    def take(self, block: Block) -> Scores:
        if self.failure is not None and block.index == 3:
            raise self.failure
        self.taken.append(block.index)
        return Scores(block.index, scores(block.index)[:2])

    def witnessed(self, account: LineAccount) -> LineAccount:
        return account

    def look_beside(self) -> None:
        pytest.fail("nothing before the decision waits for that")


class Slow(Judge):
    """Takes until it may go on for its first block."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()

    def take(self, block: Block) -> Scores:
        self.begun.set()
        self.go_on.wait()
        return super().take(block)


class Camera(FakeLineCamera):
    """Keeps its turns to be looked at."""

    def __init__(self) -> None:
        super().__init__(turned(7, 1024, 155))
        self.turns: list[FakeTurn] = []

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[FakeTurn]:
        async with super().turn() as turn:
            self.turns.append(turn)
            yield turn


class Post:
    """A scanner with a fake camera."""

    def __init__(self, judge: Judge | None = None) -> None:
        self.judge: Any = judge or Judge()
        self.events: list[CellEvent] = []
        self.scored: list[int] = []
        self.camera = Camera()
        self.compute = ComputeThread(10)
        broadcast = Broadcast(self._hear)
        self.scanner = Scanner(self.camera, self.compute, SystemClock(), broadcast, ChunkSettings())

    @asynccontextmanager
    async def armed(self) -> AsyncIterator[ArmedTurn]:
        inspection: Inspection = await FakeLedger().enter(part(), PART_TYPE)
        async with self.scanner.armed(inspection, self.judge, OUTPUTS) as turn:
            yield turn

    def _hear(self, event: CellEvent) -> None:
        self.events.append(event)
        if isinstance(event, StripScored):
            self.scored.append(event.scores.index)

    async def all_told(self) -> None:
        """Return when every strip was told of."""
        while len(self.scored) < BLOCKS_PER_TURN:  # noqa: ASYNC110  # the fakes have no events
            await asyncio.sleep(0)


@pytest.fixture
def post() -> Any:
    made = Post()
    yield made
    made.compute.close()


async def nothing_else() -> None:
    """Nothing else must be known."""


async def test_a_turn_gives_every_block_its_scores_in_order_and_tells_of_each(post: Post) -> None:
    await post.camera.open()
    async with post.armed() as turn:
        await turn.take_blocks()
        scan = await turn.finish(nothing_else())
    assert scan.account.valid
    assert scan.error is None
    assert [one.index for one in scan.scores] == list(range(BLOCKS_PER_TURN))
    await post.all_told()
    assert post.scored == list(range(BLOCKS_PER_TURN))
    assert not any(isinstance(event, StripSeen) for event in post.events), "where the part is, nobody knows"


async def test_what_the_part_looks_like_is_told_strip_by_strip_without_what_lies_beside_it(post: Post) -> None:
    post.judge.roi = Roi(100, 140)
    await post.camera.open()
    async with post.armed() as turn:
        await turn.take_blocks()
        scan = await turn.finish(nothing_else())
        await post.all_told()
        seen = [event for event in post.events if isinstance(event, StripSeen)]
        assert [one.index for one in seen] == list(range(BLOCKS_PER_TURN))
        for one, block in zip(seen, scan.blocks, strict=True):
            assert (one.pixels == block.pixels[:, 100:140]).all()


async def test_it_is_told_once_that_all_blocks_but_one_are_here(post: Post) -> None:
    await post.camera.open()
    told: list[int] = []
    async with post.armed() as turn:
        await turn.take_blocks(lambda: told.append(len(turn._blocks)))
        await turn.finish(nothing_else())
    assert told == [BLOCKS_PER_TURN - 1]


async def test_what_must_be_known_beside_is_asked_for_and_awaited(post: Post) -> None:
    await post.camera.open()
    asked, known = asyncio.Event(), asyncio.Event()

    async def beside() -> None:
        asked.set()
        await known.wait()

    async with post.armed() as turn:
        await turn.take_blocks()
        finishing = asyncio.ensure_future(turn.finish(beside()))
        await post.all_told()
        await asked.wait()
        assert not finishing.done()
        known.set()
        await finishing


async def test_a_camera_that_cannot_be_armed_gives_a_scan_without_a_block_that_says_why(post: Post) -> None:
    async with post.armed() as turn:  # it was never opened
        await turn.take_blocks()
        scan = await turn.finish(nothing_else())
    assert (scan.blocks, scan.scores, scan.last_line_ns) == ([], (), None)
    assert isinstance(scan.error, CameraError)
    assert scan.account.fault is not None


async def test_the_cameras_own_error_is_told_before_that_of_a_block() -> None:
    post = Post(Judge(ModelError("model.engine_failed", "planted")))
    await post.camera.open()
    async with post.armed() as turn:
        await turn.take_blocks()
        turn.failed(CameraError("camera.lost", "unplugged"))
        scan = await turn.finish(nothing_else())
    post.compute.close()
    assert scan.error is not None
    assert scan.error.code == "camera.lost"


@pytest.mark.parametrize("error", [ModelError("model.engine_failed", "planted"), RuntimeError("a bug")])
async def test_a_block_that_cannot_be_judged_is_the_scans_error_and_a_bug_is_raised(error: Exception) -> None:
    post = Post(Judge(error))
    await post.camera.open()
    async with post.armed() as turn:
        await turn.take_blocks()
        if isinstance(error, ModelError):
            scan = await turn.finish(nothing_else())
            assert scan.error is error
            assert len(scan.scores) == BLOCKS_PER_TURN - 1
        else:
            with pytest.raises(RuntimeError, match="a bug"):
                await turn.finish(nothing_else())
    post.compute.close()


async def test_a_turn_that_is_broken_off_is_disarmed_and_judges_no_more_blocks() -> None:
    judge = Slow()
    post = Post(judge)
    await post.camera.open()

    async def one_turn() -> None:
        async with post.armed() as turn:
            await turn.take_blocks()
            await turn.finish(nothing_else())

    scanning = asyncio.create_task(one_turn())
    await asyncio.to_thread(judge.begun.wait)
    scanning.cancel()
    await asyncio.gather(scanning, return_exceptions=True)
    assert scanning.cancelled()
    judge.go_on.set()
    await post.compute.submit(lambda: None)
    assert judge.taken == [0]
    assert post.camera.turns[0].over
    post.compute.close()
