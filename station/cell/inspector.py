"""Steps 1 to 5 of one part: it turns, is scanned and judged.

It does so once more where the scan's fault asks for it, and once more where the judgement is unsure and the
configuration allows a second look.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import structlog

from station.cell.concluding import Judged, Setup, conclude, looked_twice, unscanned
from station.cell.judging import SurfaceJudge
from station.cell.motion import Motion
from station.cell.scan import Scanner
from station.cell.second_looks import SecondLooks
from station.core.broadcast import Broadcast
from station.core.clock import Clock
from station.core.errors import CameraError, JigError
from station.core.events import StepStarted
from station.core.part import Inspection
from station.core.ports.camera import LineCamera
from station.core.ports.records import PartLedger
from station.core.reason import Reason
from station.core.settings import CropSettings, TurnSettings
from station.flow.surroundings import Surroundings

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Demands:
    """What is demanded of a scan.

    Attributes:
        crop: How the part is told from the background.
        turn: What the lines must prove of the turn.
        reference: Columns that always show the same, the first and the one after the last; None for the background.
    """

    crop: CropSettings
    turn: TurnSettings
    reference: tuple[int, int] | None = None


class Inspector:
    """Turns, scans and judges the part on the jig.

    Args:
        camera: Made ready again before a second scan.
        scanner: Scans with it.
        motion: Turns the part.
        ledger: Where a second scan is noted.
        clock: Monotonic time.
        broadcast: Tells of the steps.
        demands: What is demanded of a scan.
        second_looks: How many parts may be looked at again.
    """

    def __init__(
        self,
        camera: LineCamera,
        scanner: Scanner,
        motion: Motion,
        ledger: PartLedger,
        clock: Clock,
        broadcast: Broadcast,
        demands: Demands,
        second_looks: SecondLooks,
    ) -> None:
        self._camera = camera
        self._scanner = scanner
        self._motion = motion
        self._ledger = ledger
        self._clock = clock
        self._broadcast = broadcast
        self._demands = demands
        self._second_looks = second_looks

    @asynccontextmanager
    async def judged(self, inspection: Inspection, setup: Setup) -> AsyncIterator[Judged]:
        """The part, judged; the camera is disarmed on leaving, when the decision is on its way.

        A device that fails here makes the part a REVIEW, to be moved away. From the last line on, nothing that can wait
        is told: whoever publishes the decision releases it.

        Raises:
            StationError: A guard refused, or a record cannot be written.
        """
        async with AsyncExitStack() as armed:
            judged = await self._scanned(armed, inspection, setup)
            if (why := self._second_looks.wanted(judged.judgement.decision)) is not None:
                self._broadcast.release()
                await self._tell_of_second_look(inspection, why)
                judged = await self._look_again(armed, inspection, setup, judged, why)
            yield judged

    @asynccontextmanager
    async def tried(self, inspection: Inspection, setup: Setup) -> AsyncIterator[Judged]:
        """The same by one look alone, however unsure: one trial of a study.

        Raises:
            StationError: As for `judged`.
        """
        async with AsyncExitStack() as armed:
            yield await self._scanned(armed, inspection, setup)

    async def _scanned(self, armed: AsyncExitStack, inspection: Inspection, setup: Setup) -> Judged:
        """The part, judged by its first scan, or by a second one where the first one's fault asks for it."""
        judged = await self._turn(armed, inspection, setup)
        if (reason := judged.scan_again) is None:
            return judged
        self._broadcast.release()
        await self._tell_of_rescan(inspection, reason)
        return await self._turn_again(armed, inspection, setup, judged)

    async def _tell_of_rescan(self, inspection: Inspection, reason: Reason) -> None:
        log.warning("part_rescanned", fault=reason.fault.code, detail=reason.detail)
        await self._ledger.note("part_rescanned", f"{inspection.inspection_id} {reason.fault.code}: {reason.detail}")

    async def _turn_again(self, armed: AsyncExitStack, inspection: Inspection, setup: Setup, first: Judged) -> Judged:
        """The part, judged by another scan; by the first where the camera cannot be made ready for it."""
        try:
            await armed.aclose()
            again = await self.ready_again(setup)
        except CameraError as error:
            return replace(first, error=error)
        return await self._turn(armed, inspection, again)

    async def _tell_of_second_look(self, inspection: Inspection, why: str) -> None:
        log.info("part_looked_at_again", detail=why)
        await self._ledger.note("part_looked_at_again", f"{inspection.inspection_id} {why}")

    async def _look_again(
        self, armed: AsyncExitStack, inspection: Inspection, setup: Setup, first: Judged, why: str
    ) -> Judged:
        """The part, judged by both looks; REVIEW where the second one fails, whatever the first one said."""
        try:
            await armed.aclose()
            again = await self.ready_again(setup)
            second = await self._turn(armed, inspection, again)
        except CameraError as error:
            second = unscanned(error, setup, self._clock.monotonic_ns())
        return looked_twice(first, second, why, setup.recipe.rule)

    async def ready_again(self, setup: Setup) -> Setup:
        """What a part is scanned with in its next turn; the camera is ready for that.

        Raises:
            CameraError: It cannot be made ready.
        """
        return replace(setup, features=await self._camera.prepare(setup.scan))

    async def _turn(self, armed: AsyncExitStack, inspection: Inspection, setup: Setup) -> Judged:
        recipe = setup.recipe
        demands = self._demands
        surroundings = Surroundings(demands.reference)
        judge = SurfaceJudge(
            recipe.part_type, demands.crop, recipe.classifier, demands.turn, recipe.lighting, surroundings
        )
        self._broadcast.tell(StepStarted(inspection, "spin"))
        try:
            await self._motion.spin(inspection, inspection.part_type)
        except JigError as error:
            return unscanned(error, setup, self._clock.monotonic_ns())
        self._broadcast.tell(StepStarted(inspection, "scan"))
        return await self._scan(armed, inspection, setup, judge)

    async def _scan(self, armed: AsyncExitStack, inspection: Inspection, setup: Setup, judge: SurfaceJudge) -> Judged:
        """Scan and judge the turning part; the camera stays armed until `armed` is closed."""
        outputs = setup.recipe.rule.outputs
        async with self._motion.speed_watched(inspection.part_type) as speed:
            turn = await armed.enter_async_context(self._scanner.armed(inspection, judge, outputs))
            await turn.take_blocks(speed.last_block_begins)
            self._broadcast.hold()
            self._broadcast.tell(StepStarted(inspection, "decide"))
            scan = await turn.finish(speed.check_turn_time())
        return conclude(scan, scan.error or speed.error, setup, self._clock.monotonic_ns())
