"""What lies under the camera, and a camera that sees it: the lines of a turn as jig, part and cable let them come.

The scene takes the orders that the simulated cell gives to the real producer (`sim.camera_fault`); the camera stands
below the station's own supervision, in the place of the driver with its process. It knows what truly passed under it:
that is what a pass is checked with.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sim.camera_fault import CameraFault
from station.core.errors import CameraError
from station.core.part import Block, FeatureSnapshot, LineMarks, Pixels, ScanRecipe
from tests.year.loop import OWNER

OPENING_S, PREPARING_S, ARMING_S, DISARMING_S = 0.3, 0.004, 0.003, 0.002
EVEN = 1e-3
"""By so much of it a turn may be longer or shorter, and a line is still the next one."""
LATE = frozenset({CameraFault.NONE, CameraFault.HANG, CameraFault.LATE_BLOCK, CameraFault.SLOW})
LASTING = frozenset({CameraFault.SLOW, CameraFault.ALWAYS_INCOMPLETE})
INDEX = 1
"""The input that is high at the index pulse."""


@dataclass
class Seen:
    """What truly passed under the camera in one turn.

    Attributes:
        surface: Of the part.
        whole: Every line of it passed once, and every line came.
    """

    surface: Pixels | None
    whole: bool


@dataclass
class Order:
    """A fault that the next block of this number has."""

    fault: CameraFault
    block: int
    lines: int
    time_s: float


class Scene:
    """What lies under the camera, and how it turns; a `sim.effects.Scenery`.

    Attributes:
        image: (lines a turn, sensor width) uint8: what is seen, or None for the empty jig.
        order: What breaks next at the camera.
        away_until_s: Until then its cable is out.
        mischief: What else the next turn or call has, by name; see `MISCHIEFS`.
        turns: What has passed under it.
    """

    def __init__(self, clean: Callable[[Pixels], bool]) -> None:
        self._clean = clean
        self.image: Pixels | None = None
        self.order: Order | None = None
        self.away_until_s = 0.0
        self.unplugged = False
        self.mischief: set[str] = set()
        self.turns: list[Seen] = []
        self._turning: tuple[float, float] | None = None
        self._counts = 0.0
        self._since_s = 0.0
        self.slip_rows: tuple[int, int] = (0, 0)

    # ---- what the cell does

    @property
    def turn_lines(self) -> int:
        """Rows once around."""
        return 0 if self.image is None else len(self.image)

    def show(self, image: Pixels | None) -> None:
        """Show a turn's surface, or the empty jig."""
        self.image = image

    def turn(self, period_ns: int, epoch_ns: int) -> None:
        """Turn at constant speed."""
        self._stop()
        self._turning = period_ns / 1e9, epoch_ns / 1e9

    def stand_still(self) -> None:
        """Give no index pulse."""
        self._stop()
        self._turning = None

    def slip(self, row: int, rows: int) -> None:
        """Let the part slip in every turn."""
        self.slip_rows = row, rows

    def fault(self, fault: CameraFault, *, block: int = 0, lines: int = 0, time_s: float = 0.0) -> None:
        """Order a fault of the camera."""
        if fault is CameraFault.DISCONNECT and not block:
            self.unplug(time_s)
        else:
            self.order = Order(fault, block, lines, time_s)

    def unplug(self, time_s: float) -> None:
        """The cable comes out, for so long."""
        self.unplugged, self.away_until_s = True, _now_s() + time_s

    def note_jig(self, link: str, terminal: str) -> None:
        """Of no use here."""

    # ---- what the camera sees

    @property
    def period_s(self) -> float | None:
        """Time of one turn; None while there are no index pulses."""
        return self._turning[0] if self._turning else None

    def next_pulse_s(self) -> float | None:
        """When the next index pulse comes, or None."""
        if self._turning is None:
            return None
        period_s, epoch_s = self._turning
        turns = max(0, int((_now_s() - epoch_s) // period_s) + 1)
        return epoch_s + turns * period_s

    def encoder(self) -> float:
        """Turns of the jig since the beginning."""
        running = (_now_s() - self._since_s) / self._turning[0] if self._turning else 0.0
        return self._counts + running

    def _stop(self) -> None:
        self._counts = self.encoder()
        self._since_s = _now_s()

    def passed(self, *, whole: bool) -> None:
        """A turn is over; whether every line of it came, and came once."""
        clean = self.image is not None and self._clean(self.image) and not self.slip_rows[1]
        self.turns.append(Seen(self.image, whole and clean))

    def take(self, mischief: str) -> bool:
        """Whether this is to happen now; then it is over."""
        if mischief in self.mischief:
            self.mischief.discard(mischief)
            return True
        return False


MISCHIEFS = {
    "camera-process-dies": "The camera's process ends.",
    "camera-feature-refused": "The camera refuses a setting.",
    "camera-no-pulse": "The index pulse does not reach the camera.",
    "camera-other-format": "The camera sends blocks of another height.",
    "camera-number-again": "A block comes under the number of the one before.",
    "camera-block-twice": "A block comes twice.",
    "camera-order-changed": "Two blocks change places.",
    "camera-encoder-jumps": "Lines are lost before they are numbered: the encoder tells.",
    "camera-begins-late": "The turn begins beside the index pulse.",
}
"""Faults of the camera that the simulated producer is not ordered to have, and what breaks."""


@dataclass(frozen=True)
class Exposed:
    """When a line was exposed, and how far the jig had turned by its encoder."""

    at_s: float
    turns: float


@dataclass
class _Turn:
    """What is known of one turn while it is taken."""

    camera: "YearCamera"
    discarded_blocks: int = 0
    over: bool = False
    sent: int = 0
    spoilt: bool = False
    begun_late: bool = False
    held: list[Block] = field(default_factory=list)

    async def blocks(self) -> AsyncIterator[Block]:
        """The blocks of the next turn, each when its last line was exposed."""
        camera, scene = self.camera, self.camera.scene
        recipe = camera.recipe
        assert recipe is not None
        begin_s = await self._pulse(recipe)
        begun = Exposed(_now_s(), scene.encoder())
        for number in range(recipe.blocks):
            await _until(begin_s + (number + 1) * recipe.lines_per_block / recipe.line_rate_hz)
            if self.over:
                return
            camera.check()
            exposed = Exposed(_now_s(), scene.encoder() - begun.turns)
            pixels, truly = self._pixels(number, recipe)
            self.spoilt = self.spoilt or not truly
            delivered = await self._delivered(number, recipe)
            if delivered is None:
                return
            if delivered < recipe.lines_per_block:
                pixels = pixels.copy()
                pixels[delivered:] = 0
            if delivered:
                for block in self._spoil(self._made(number, recipe, pixels, delivered, exposed)):
                    yield block
        if not self.spoilt and self.sent == recipe.blocks:
            scene.passed(whole=True)

    async def _pulse(self, recipe: ScanRecipe) -> float:
        """When the turn begins.

        Raises:
            CameraError: No index pulse in time, or the camera is gone.
        """
        camera, scene = self.camera, self.camera.scene
        turn_s = recipe.blocks * recipe.lines_per_block / recipe.line_rate_hz
        deadline_s = _now_s() + camera.settings.block_timeout_s + turn_s
        blind = scene.take("camera-no-pulse")
        while True:
            camera.check()
            pulse_s = None if blind else scene.next_pulse_s()
            if pulse_s is not None and pulse_s <= deadline_s:
                await _until(pulse_s)
                if scene.period_s is not None:
                    if scene.take("camera-begins-late"):
                        self.spoilt = self.begun_late = True
                        await asyncio.sleep(0.3 * scene.period_s)
                    return _now_s()
            elif _now_s() >= deadline_s:
                raise CameraError("camera.timeout", "no index pulse")
            else:
                await asyncio.sleep(0.02)

    async def _delivered(self, number: int, recipe: ScanRecipe) -> int | None:
        """How many lines come of a block: 0 where it is lost, None where nothing comes any more."""
        scene, settings, order = self.camera.scene, self.camera.settings, self.camera.scene.order
        if order is None or order.block not in (0, number + 1):
            return recipe.lines_per_block
        if order.fault not in LASTING:
            scene.order = None
        self.spoilt = self.spoilt or order.fault not in LATE
        match order.fault:
            case CameraFault.DISCONNECT:
                scene.unplug(order.time_s)
                self.camera.check()
            case CameraFault.DROP_FRAME | CameraFault.UNDERRUN:
                return 0
            case CameraFault.PARTIAL_INCOMPLETE | CameraFault.ALWAYS_INCOMPLETE:
                self.discarded_blocks += 1
                return 0
            case CameraFault.PARTIAL_COMPLETE | CameraFault.DROP_LINES:
                return max(1, recipe.lines_per_block - order.lines)
            case CameraFault.HANG | CameraFault.LATE_BLOCK | CameraFault.SLOW:
                await asyncio.sleep(min(order.time_s, settings.late_block_s))
                if order.time_s > settings.late_block_s:
                    self.spoilt = True
                    return None
        return recipe.lines_per_block

    def _made(self, number: int, recipe: ScanRecipe, pixels: Pixels, delivered: int, exposed: Exposed) -> Block:
        scene, lines = self.camera.scene, recipe.lines_per_block
        jumped = 7 if scene.take("camera-encoder-jumps") else 0
        self.spoilt = self.spoilt or jumped > 0
        after = round(exposed.turns * lines * recipe.blocks) + jumped
        status = INDEX if number == 0 and not self.begun_late else 0
        marks = LineMarks(number + 1, after - lines, after - lines + delivered - 1, status)
        self.sent += 1
        return Block(
            self.sent - 1, number, pixels, delivered, round(exposed.at_s * 1e9), round(_now_s() * 1e9) + 300_000, marks
        )

    def _spoil(self, block: Block) -> list[Block]:
        """What else the camera makes of a block."""
        scene = self.camera.scene
        if block.frame_id == 3:
            if scene.take("camera-other-format"):
                self.spoilt = True
                return [replace(block, pixels=block.pixels[: len(block.pixels) // 2])]
            if scene.take("camera-number-again"):
                self.spoilt = True
                return [replace(block, frame_id=2)]
            if scene.take("camera-block-twice"):
                self.spoilt = True
                self.sent += 1
                return [block, replace(block, index=block.index + 1)]
            if scene.take("camera-order-changed"):
                self.spoilt = True
                self.held.append(block)
                return []
        if self.held:
            before = self.held.pop()
            return [replace(block, index=before.index), replace(before, index=block.index)]
        return [block]

    def _pixels(self, number: int, recipe: ScanRecipe) -> tuple[Pixels, bool]:
        """The lines of a block, and whether they are the part's next ones."""
        scene, lines = self.camera.scene, recipe.lines_per_block
        image = scene.image
        if image is None:
            return self.camera.dark, True
        start = number * lines
        period_s, nominal_s = scene.period_s, lines * recipe.blocks / recipe.line_rate_hz
        even = period_s is not None and abs(period_s / nominal_s - 1) < EVEN
        row, behind = scene.slip_rows
        if even and not behind:
            return image[start : start + lines], True
        rows = np.arange(start, start + lines, dtype=np.float64)
        if not even:
            rows = start + (rows - start) * (nominal_s / period_s if period_s else 0.0)
        if behind:
            rows = np.where(rows < row, rows, np.maximum(row, rows - behind))
        taken = image[np.mod(rows.astype(np.int64), len(image))]
        taken.flags.writeable = False
        return taken, False


class YearCamera:
    """A `LineCamera` that looks at the scene.

    Args:
        scene: What it looks at.
        settings: Deadlines.
        width_px: Of its sensor.
    """

    def __init__(self, scene: Scene, settings: Any, dark: Pixels) -> None:
        self.scene = scene
        self.settings = settings
        self.recipe: ScanRecipe | None = None
        self.dark = dark
        self._open = self._died = False

    async def open(self) -> None:
        """Connect."""
        self._open = False
        await asyncio.sleep(OPENING_S)
        if _now_s() < self.scene.away_until_s:
            raise CameraError("camera.not_found", "no camera answers")
        self.scene.unplugged = False
        self._open, self._died = True, False

    async def prepare(self, recipe: ScanRecipe) -> FeatureSnapshot:
        """Remember the recipe and tell of it."""
        await asyncio.sleep(PREPARING_S)
        self.check()
        if self.scene.take("camera-feature-refused"):
            raise CameraError("camera.feature_refused", "ExposureTime")
        self.recipe = recipe
        return {
            "Width": self.dark.shape[1], "Height": recipe.lines_per_block, "PixelFormat": "Mono8",
            "AcquisitionLineRate": recipe.line_rate_hz, "ExposureTime": recipe.exposure_us,
        }  # fmt: skip

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[_Turn]:
        """One turn."""
        await asyncio.sleep(ARMING_S)
        self.check()
        turn = _Turn(self)
        try:
            yield turn
        finally:
            turn.over = True
            await asyncio.sleep(DISARMING_S)

    async def close(self) -> None:
        """Disconnect."""
        self._open = False

    def check(self) -> None:
        """Whether it answers.

        Raises:
            CameraError: It does not.
        """
        if getattr(OWNER.get(), "dead", False):
            raise CameraError("camera.lost", "the station is dead")
        if self.scene.take("camera-process-dies"):
            self._died = True
        if self._died or not self._open:
            raise CameraError("camera.process_died" if self._died else "camera.lost", "it is not open")
        if self.scene.unplugged:
            raise CameraError("camera.lost", "the connection broke")


async def _until(when_s: float) -> None:
    if (pause_s := when_s - _now_s()) > 0:
        await asyncio.sleep(pause_s)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
