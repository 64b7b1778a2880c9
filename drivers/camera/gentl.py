"""The line-scan camera behind any GenTL producer, as the cell sees it: a `LineCamera` whose work is done elsewhere.

    GenTLCamera ── CameraChild ══ packets, shared memory ══ process.service ── harvesters ── producer (.cti) ── camera

Nothing here blocks: the process is started, asked and, when it does not answer, ended by deadlines of this side. After
`camera.lost` and `camera.process_died` the next `open` starts it afresh; until then every call fails at once with the
same code. `drivers.camera.supervisor` opens it again without being asked.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from drivers.camera.child import Arrival, CameraChild
from drivers.camera.link import (
    Arm,
    BlockFilled,
    BlockRing,
    Connect,
    Disarm,
    Discarded,
    Done,
    Lend,
    Prepare,
    Refused,
    Request,
    TurnEnded,
)
from drivers.camera.survey import find_devices
from station.core.camera_settings import CameraSettings, ChunkSettings
from station.core.errors import CameraError
from station.core.geometry import Geometry
from station.core.part import Block, FeatureSnapshot, LineMarks, ScanRecipe

ANSWER_TIMEOUT_S = 5.0
DISARM_TIMEOUT_S = 1.5


def find_producers(configured: list[str]) -> tuple[str, ...]:
    """The producer files to load: those configured, or all in the folders of GENICAM_GENTL64_PATH.

    Raises:
        CameraError: There is none, or a configured one is no file.
    """
    for path in configured:
        if not Path(path).is_file():
            raise CameraError("camera.no_producer", f"{path} is no file")
    folders = filter(None, os.environ.get("GENICAM_GENTL64_PATH", "").split(os.pathsep))
    files = configured or sorted(str(path) for folder in folders for path in Path(folder).glob("*.cti"))
    if not files:
        raise CameraError("camera.no_producer", "camera.producers and GENICAM_GENTL64_PATH name none")
    return tuple(files)


def undetectable_losses(chunks: ChunkSettings, absent: tuple[str, ...]) -> str:
    """Which loss of lines a camera without these chunks gives no proof of, in words; empty where there is none."""
    sent = {key for key, name in chunks.names if name not in absent}
    if {"encoder_value", "line_selector"} <= sent:
        where = ""
    elif "encoder_value" in sent:
        where = "inside a turn's last block"
    else:
        where = "inside a block or between two"
    why = f"the camera does not send {', '.join(absent)}" if absent else "camera.chunks does not name what tells of it"
    return f"lines that are lost {where} cannot be proven on this camera: {why}" if where else ""


def _tell_nobody(_told: str) -> None:
    """Where nobody asked to be told."""


def _framing(geometry: Geometry) -> tuple[int, int]:
    """Lines of a block, and blocks of a turn."""
    return geometry.lines_per_block, geometry.blocks_per_turn


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a block: for the first, the wait for the index pulse included, and for each later one."""

    first_s: float
    later_s: float


class GenTLTurn:
    """One armed turn; iterating gives its blocks.

    A block's pixels stay valid for as long as anybody refers to them. When a later block is overdue, the turn is over:
    what is missing is told by the numbers of those that came.

    Args:
        child: The camera process.
        ring: Where the blocks lie.
        request: What was armed.
        patience: How long to wait for a block.
    """

    def __init__(self, child: CameraChild, ring: BlockRing, request: Arm, patience: Patience) -> None:
        self._child = child
        self._ring = ring
        self._request = request
        self._number = request.number
        self._patience = patience
        self._delivered = 0
        self._discarded = 0
        self._over = False

    @property
    def discarded_blocks(self) -> int:
        """Blocks that harvesters threw away as incomplete so far."""
        return self._discarded

    def blocks(self) -> AsyncIterator[Block]:
        """The blocks that have not been taken yet, as they arrive; see `station.core.ports.camera.Turn`."""
        return self

    def __aiter__(self) -> "GenTLTurn":
        return self

    async def __anext__(self) -> Block:
        while not self._over:
            arrival = await self._receive()
            if arrival is None:
                break
            match arrival.message:
                case BlockFilled() as filled if filled.turn == self._number:
                    return self._block(filled, arrival.arrived_ns)
                case Discarded(turn=turn) if turn == self._number:
                    self._discarded += 1
                case TurnEnded(turn=turn) if turn == self._number:
                    self._over = True
                case Refused(number=number, code=code, detail=detail) if number == self._number:
                    self._over = True
                    raise CameraError(code, detail)
                case _:
                    pass  # of an earlier turn
        self._over = True
        raise StopAsyncIteration

    def finish(self) -> None:
        """No more blocks are given from now on."""
        self._over = True

    async def _receive(self) -> Arrival | None:
        """The next message, or None when a turn that has begun gives no more."""
        begun = self._delivered + self._discarded > 0
        patience_s = self._patience.later_s if begun else self._patience.first_s
        try:
            return await self._child.receive(asyncio.get_running_loop().time() + patience_s)
        except TimeoutError:
            if begun:
                return None
            raise CameraError("camera.timeout", f"no block within {patience_s:.2f} s") from None

    def _block(self, filled: BlockFilled, arrived_ns: int) -> Block:
        pixels = self._ring.pixels(filled.slot, self._request.lines)
        if self._request.blocks > len(self._request.slots) and (free := self._ring.more()):
            self._child.tell(Lend(self._number, free))
        index = self._delivered
        self._delivered += 1
        return Block(
            index=index,
            frame_id=filled.frame_id,
            pixels=pixels,
            delivered_lines=filled.delivered_lines,
            last_line_ns=filled.last_line_ns,
            arrived_ns=arrived_ns,
            marks=None if filled.marks is None else LineMarks(*filled.marks),
        )


class GenTLCamera:
    """A `LineCamera` for whatever camera the configured GenTL producers find.

    Where the producer gives no time stamps, a block's `last_line_ns` is the time at which the camera process had it.
    Calls follow one another; only `close` may be called while another one is waiting, which then fails.

    Args:
        settings: The configuration's `[camera]`, placeholders in `producers` filled in.
        geometries: Those of the part types that are scanned, at least one; before the first `prepare` a turn is one of
            the first geometry.
        trial_blocks: Blocks of one acquisition, for trials, of any number; None: a turn. The camera must then be set to
            run continuously, and whoever takes them must not hold more than one turn's at a time.
        on_undetectable_loss: Told at every opening which loss of lines this camera gives no way to detect, if any.
        on_left_out: Told, producer by producer, which of several could not be asked for their cameras, and why.
    """

    def __init__(
        self,
        settings: CameraSettings,
        geometries: Sequence[Geometry],
        trial_blocks: int | None = None,
        on_undetectable_loss: Callable[[str], None] = _tell_nobody,
        on_left_out: Callable[[str], None] = _tell_nobody,
    ) -> None:
        self._settings = settings
        self._geometries = tuple(geometries)
        self._trial_blocks = trial_blocks
        self._lines, self._blocks = _framing(self._geometries[0])
        self._on_undetectable_loss = on_undetectable_loss
        self._on_left_out = on_left_out
        self._producer: str | None = None
        self._child: CameraChild | None = None
        self._ring: BlockRing | None = None
        self._number = 0
        self._line_rate_hz: float | None = None

    async def open(self) -> None:
        """Start the camera process and let it connect; an open camera is let go first. See `LineCamera.open`."""
        await self.close()
        self._lines, self._blocks = _framing(self._geometries[0])
        producers = find_producers(self._settings.producers)
        deadline_s = asyncio.get_running_loop().time() + self._settings.open_timeout_s
        self._ring = ring = BlockRing(self._settings.width_px, max(self._lines_of_types), max(self._blocks_of_types))
        try:
            producer = await self._seeing(producers)
            self._child = await CameraChild.start(ring)
            done = await self._ask(self._connection(producer, ring), deadline_s)
        except BaseException:
            self._producer = None
            await self.close()
            raise
        finally:
            ring.close_file()
        if losses := undetectable_losses(self._settings.chunks, done.absent):
            self._on_undetectable_loss(losses)

    @property
    def _lines_of_types(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(geometry.lines_per_block for geometry in self._geometries))

    @property
    def _blocks_of_types(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(geometry.blocks_per_turn for geometry in self._geometries))

    async def _seeing(self, producers: tuple[str, ...]) -> str:
        """The producer that sees the camera: it alone is loaded, so no other one can harm it.

        Of several all are asked, each in a process of its own, for at most half of the time that opening may take;
        afterwards the same one is taken until an opening fails.
        """
        if len(producers) == 1:
            return producers[0]
        if self._producer not in producers:
            survey = await find_devices(producers, self._settings.open_timeout_s / 2)
            for told in survey.left_out:
                self._on_left_out(told)
            if self._ring is None:
                raise CameraError("camera.lost", "it was closed")
            self._producer = survey.producer_of(self._settings.serial_number)
        return self._producer

    async def prepare(self, recipe: ScanRecipe) -> FeatureSnapshot:
        """Set everything for a part type, read it back; see `LineCamera.prepare`."""
        names = self._settings.names
        request = Prepare(
            number=self._next_number(),
            line_rate=(names.line_rate_hz, recipe.line_rate_hz),
            exposure=(names.exposure_us, recipe.exposure_us),
            lines=(names.lines_per_block, recipe.lines_per_block),
            blocks=(names.blocks_per_turn, recipe.blocks) if self._trial_blocks is None else None,
            features=recipe.features,
        )
        done = await self._ask(request, self._soon())
        self._line_rate_hz = recipe.line_rate_hz
        self._lines, self._blocks = recipe.lines_per_block, recipe.blocks
        return done.features

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[GenTLTurn]:
        """Arm, and disarm on leaving; see `LineCamera.turn`.

        A camera that cannot be disarmed is given up: the blocks that it gave stay good, and the next call fails.
        """
        turn = await self._arm()
        try:
            yield turn
        finally:
            turn.finish()
            with suppress(CameraError):
                await self._ask(Disarm(self._next_number()), self._soon(DISARM_TIMEOUT_S))

    async def close(self) -> None:
        """End the camera process within 2 s, whatever it does; harmless when it is not open."""
        child = self._child
        self._child = None  # before the wait, so that nobody asks a child that is ending
        self._ring = None
        self._line_rate_hz = None
        if child is not None:
            await child.end()

    async def _arm(self) -> GenTLTurn:
        child, ring = self._alive(), self._ring
        if ring is None:
            raise CameraError("camera.lost", "it is not open")
        blocks = self._trial_blocks or self._blocks
        request = Arm(self._next_number(), ring.lease(blocks), blocks, self._lines)
        try:
            await self._ask(request, self._soon())
        except asyncio.CancelledError:
            with suppress(CameraError):
                child.tell(Disarm(self._next_number()))
            raise
        return GenTLTurn(child, ring, request, self._patience())

    def _patience(self) -> Patience:
        lines_s = self._lines / self._line_rate_hz if self._line_rate_hz else 0.0
        first_s = self._settings.block_timeout_s + (1 + self._blocks) * lines_s
        return Patience(first_s, self._settings.late_block_s + lines_s)

    async def _ask(self, request: Request, deadline_s: float) -> Done:
        child = self._alive()
        child.tell(request)
        try:
            while True:
                match (await child.receive(deadline_s)).message:
                    case Done(number=number) as done if number == request.number:
                        return done
                    case Refused(number=number, code=code, detail=detail) if number == request.number:
                        raise CameraError(code, detail)
                    case _:
                        pass  # the rest of a turn, or of a request whose caller was cancelled
        except TimeoutError:
            child.kill(f"it did not answer {type(request).__name__} in time and was ended")
            raise child.failure or CameraError("camera.process_died") from None

    def _alive(self) -> CameraChild:
        if self._child is None:
            raise CameraError("camera.lost", "it is not open")
        if self._child.failure is not None:
            raise self._child.failure
        return self._child

    def _connection(self, producer: str, ring: BlockRing) -> Connect:
        settings = self._settings
        turns = self._blocks_of_types
        return Connect(
            number=self._next_number(),
            producer=producer,
            serial_number=settings.serial_number,
            width_px=settings.width_px,
            slot_lines=ring.lines,
            slots=ring.slots,
            buffers=max(settings.buffers, max(turns) + 1),
            lines=(settings.names.lines_per_block, self._lines_of_types),
            blocks=(settings.names.blocks_per_turn, turns if self._trial_blocks is None else ()),
            first_frame_id=settings.first_frame_id,
            setup=tuple((row.feature, row.value) for row in settings.setup),
            chunks=settings.chunks.names,
        )

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _soon(self, timeout_s: float = ANSWER_TIMEOUT_S) -> float:
        return asyncio.get_running_loop().time() + timeout_s
