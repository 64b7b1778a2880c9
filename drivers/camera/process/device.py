"""One GenTL camera through harvesters, which only this loads, in processes of its own.

harvesters holds the interpreter's lock while it waits for an image, and a producer may crash or hang; where this runs,
that harms nobody. Every call may block for as long as the producer likes. Any error of genicam but a refused feature
means that the camera is lost; the caller translates it.
"""

import ctypes
import logging
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple
from typing import Any

from harvesters.core import Callback, Harvester, ImageAcquirer, ParameterKey, ParameterSet

from drivers.camera import link
from drivers.camera.process.buffer import MONO8, copy_lines, read_buffer
from drivers.camera.process.chunks import ChunkReader
from drivers.camera.process.clock import DeviceClock, latch_offset_ns
from drivers.camera.process.features import (
    FOREIGN_ERRORS,
    Chosen,
    check_image_format,
    chosen,
    explain,
    read_feature,
    read_node,
    snapshot,
    write_feature,
)
from station.core.errors import CameraError
from station.core.part import Features, FeatureValue

POLL_MS = 5
FETCH_S = 0.01
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_MMAP_THRESHOLD = 32 << 20

FUNCTIONS = (
    "GCInitLib",
    "GCCloseLib",
    "TLOpen",
    "TLClose",
    "TLUpdateInterfaceList",
    "IFUpdateDeviceList",
    "IFOpenDevice",
)
"""Some of what every GenTL producer has; a library without them is none. Source: GenTL standard 1.5, section 6.3."""

GIGE_IDS = 65535
"""Numbers of blocks of a camera without extended ids, from 1; 0 is none. Source: GigE Vision 2.0, block_id."""

FIRST_FRAME_ID = {"U3V": 0}
"""Number of an acquisition's first block by transport layer; 1 elsewhere, as GigE Vision counts."""


class Acquisition:
    """One armed acquisition: where its blocks go, and when it is over.

    Args:
        request: The number, the slots, and how many blocks come.
        ring: All slots, (slots, lines, width) uint8.
        clock: Translates the time stamps.
    """

    def __init__(self, request: link.Arm, ring: Any, clock: DeviceClock) -> None:
        self.number = request.number
        self.lines = request.lines
        self.slots = ring
        self.clock = clock
        self._free = deque(request.slots)
        self._blocks = request.blocks
        self._seen = 0
        self._last_id = -1
        self._first_id: int | None = None
        self._wraps = True

    @property
    def has_room(self) -> bool:
        """Whether there is a slot for another block; a block without one waits in the producer's buffer."""
        return bool(self._free)

    def lend(self, slots: Sequence[int]) -> None:
        """Further slots."""
        self._free.extend(slots)

    def next_slot(self) -> int:
        """The slot of the next block."""
        return self._free.popleft()

    def number_of(self, frame_id: int, first_id: int | str) -> int:
        """A block's number in this acquisition, from the producer's; any first number is that of the first that comes.

        Nothing is lost unnoticed then either: a turn without its first block has but seven. A counter of 16 bits that
        goes on passes from 65535 to 1; of the numbers that it may stand for the one nearest to the last block's counts.
        A counter that shows 0 or more than 65535 does not do that.
        """
        if self._first_id is None:
            self._first_id = frame_id if isinstance(first_id, str) else first_id
        self._wraps &= all(1 <= seen <= GIGE_IDS for seen in (frame_id, self._first_id))
        number = frame_id - self._first_id
        turns = round((self._last_id - number) / GIGE_IDS) if self._wraps else 0
        return number + turns * GIGE_IDS

    def note(self, message: link.BlockFilled | link.Discarded) -> bool:
        """Count a block; whether it was the last: by how many came, or by its number."""
        self._seen += 1
        if isinstance(message, link.BlockFilled):
            self._last_id = message.frame_id
        return self._seen >= self._blocks or self._last_id >= self._blocks - 1


class _Discards(Callback):  # type: ignore[misc]
    """Counts the incomplete buffers that harvesters throws away; try_fetch does not tell them from a time-out."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, context: object = None) -> None:  # noqa: ARG002
        """Count one; `context` is the acquirer."""
        self.count += 1


class Camera:
    """One open camera."""

    def __init__(self) -> None:
        self._complaints = Complaints()
        self._harvester = new_harvester(self._complaints)
        self._acquirer: Any = None
        self._discards = _Discards()
        self._written: dict[str, Chosen] = {}
        self._setup: Features = ()
        self._common: frozenset[str] = frozenset()
        self._special: Features | None = ()
        self._width_px = 0
        self._first_id: int | str = 1
        self._grey = MONO8
        self._chunks: ChunkReader

    def connect(self, request: link.Connect) -> tuple[str, ...]:
        """Open the camera, write its features and check what came of them; the chunks that it does not send.

        Raises:
            CameraError: No producer, no camera, or a feature was refused.
        """
        load_producer(self._harvester, request.producer, self._complaints)
        self._acquirer = open_camera(
            self._harvester, request.serial_number, request.buffers, with_chunks=bool(request.chunks)
        )
        self._acquirer.add_callback(ImageAcquirer.Events.INCOMPLETE_BUFFER, self._discards)
        self._width_px = request.width_px
        usual = FIRST_FRAME_ID.get(self._acquirer.device.tl_type, 1)
        self._first_id = usual if request.first_frame_id is None else request.first_frame_id
        self._setup = request.setup
        self._write_all(self._setup)
        self._common = frozenset(self._written)
        self._grey = check_image_format(self._nodes, request.width_px, request.lines, request.blocks)
        self._chunks = ChunkReader(self._nodes, request.chunks)
        return self._chunks.absent

    @property
    def _nodes(self) -> Any:
        return self._acquirer.remote_device.node_map

    def features(self) -> dict[str, FeatureValue]:
        """Every feature that was written, and the camera's identity, as they are now."""
        return snapshot(self._nodes, self._written.values())

    def prepare(self, request: link.Prepare) -> None:
        """Set the camera for a part type: what is special to it, its blocks, then line rate and exposure.

        The exposure is written first when lines get shorter, so that it always fits into one.

        Raises:
            CameraError: A feature was refused, or the blocks would not be what the type needs.
        """
        self._make_special(request.features)
        framing = [request.lines] if request.blocks is None else [request.lines, request.blocks]
        for name, wanted in framing:
            if read_feature(self._nodes, name) not in (None, wanted):
                self._write(name, wanted)
        self._grey = check_image_format(
            self._nodes,
            self._width_px,
            (request.lines[0], (request.lines[1],)),
            ("", ()) if request.blocks is None else (request.blocks[0], (request.blocks[1],)),
        )
        pair = [request.line_rate, request.exposure]
        now = read_feature(self._nodes, request.line_rate[0])
        faster = isinstance(now, int | float) and request.line_rate[1] > now
        for name, value in reversed(pair) if faster else pair:
            self._write(name, value)

    def _make_special(self, features: Features) -> None:
        """Write what a type has otherwise than the set-up; first the set-up itself where an earlier type had others."""
        if features == self._special:
            return
        before = self._special
        self._special = None  # until all is written nobody knows what the camera is set to
        if before != ():
            self._write_all(self._setup)
        selected: set[str] = set()
        for name, value in features:
            self._require_common(name, selected)
            self._write(name, value)
            selected.add(name)
        self._special = features

    def _require_common(self, name: str, selected: set[str]) -> None:
        """Refuse what could not be put back, and what would be written wherever a selector happens to stand."""
        feature = chosen(self._nodes, name)
        if feature is None:
            return
        if floating := [selector for selector, _value in feature.selectors if selector not in selected]:
            raise CameraError("camera.feature_refused", f"{name} of a part type: write {floating[0]} before it")
        if feature.key not in self._common:
            raise CameraError(
                "camera.feature_refused", f"{feature.key} of a part type: camera.setup does not say what others have"
            )

    def start(self) -> DeviceClock:
        """Arm; AcquisitionStart is done when this returns."""
        clock = DeviceClock(latch_offset_ns(self._nodes))
        self._acquirer.start(run_as_thread=False)
        return clock

    def stop(self) -> None:
        """Disarm; harmless when not armed."""
        self._acquirer.stop()

    def fetch(self, acquisition: Acquisition) -> list[link.BlockFilled | link.Discarded]:
        """What came within a hundredth of a second: a block, copied into its slot; a discarded one; or nothing."""
        before = self._discards.count
        buffer = self._acquirer.try_fetch(timeout=FETCH_S, is_raw=True)
        if buffer is None:
            return [link.Discarded(acquisition.number)] * (self._discards.count - before)
        arrived_ns = time.monotonic_ns()
        try:
            image = read_buffer(buffer, self._width_px, acquisition.lines, self._grey)
            slot = acquisition.next_slot()
            copy_lines(buffer.raw_buffer, image, acquisition.slots[slot][: acquisition.lines])
            marks = self._chunks.read(buffer, image.delivered_lines)
        finally:
            buffer.parent.queue_buffer(buffer)
        last_line_ns = acquisition.clock.monotonic_ns(image.stamp_ns, arrived_ns)
        frame_id = acquisition.number_of(image.frame_id, self._first_id)
        told = None if marks is None else astuple(marks)
        return [link.BlockFilled(acquisition.number, slot, frame_id, image.delivered_lines, last_line_ns, told)]

    def release(self) -> None:
        """Let the camera go, so that others may open it at once."""
        self._harvester.reset()

    def _write_all(self, features: Features) -> None:
        for name, value in features:
            self._write(name, value)

    def _write(self, name: str, value: FeatureValue) -> None:
        try:
            write_feature(self._nodes, name, value)
        except CameraError:
            read_node(self._nodes.get_node("Width"))  # a refusal comes from a camera that still answers
            raise
        if (feature := chosen(self._nodes, name)) is not None:
            self._written[feature.key] = feature


def keep_freed_memory() -> None:
    """Let the C library keep what is freed: harvesters allocates all buffers anew for each acquisition.

    Taken from the system, 12 buffers of 5472 x 448 px cost 17 ms of page faults at every arming; kept, under 4 ms.
    """
    with suppress(AttributeError):  # a C library that is not GNU's has no mallopt
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
        mallopt(M_TRIM_THRESHOLD, 1 << 30)


class Complaints(logging.Handler):
    """What harvesters logs of a producer in place of raising it: why it was left out, or could not be asked."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        error = record.exc_info[1] if record.exc_info else None
        self.heard.append(explain(error) if isinstance(error, Exception) else record.getMessage())


def new_harvester(complaints: Complaints) -> Any:
    """A harvester that tells nobody but `complaints`."""
    logger = logging.getLogger(__name__)
    logger.propagate = False
    logger.addHandler(complaints)
    return Harvester(config=ParameterSet({ParameterKey.LOGGER: logger}))


def load_producer(harvester: Any, path: str, complaints: Complaints) -> None:
    """Load a producer and look for cameras.

    Raises:
        CameraError: It cannot be loaded, is none, or finds no camera because something is wrong with it.
    """
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise CameraError("camera.no_producer", f"{path} cannot be loaded: {error}") from error
    if lacking := [name for name in FUNCTIONS if not hasattr(library, name)]:
        raise CameraError("camera.no_producer", f"{path} is no GenTL producer: it has no {', '.join(lacking)}")
    harvester.add_file(path)
    harvester.update()
    if complaints.heard and not harvester.device_info_list:
        raise CameraError("camera.not_found", f"{path} finds no camera: {'; '.join(complaints.heard)}")


def open_camera(harvester: Any, serial_number: str, buffers: int, *, with_chunks: bool = False) -> Any:
    """An acquirer for the camera of this serial number, or for the only one where it is empty.

    `with_chunks`: each fetched buffer's chunks are laid under the node map.

    Raises:
        CameraError: There is no such camera, more than one, or it cannot be opened.
    """
    found = {serial_of(info): info for info in harvester.device_info_list}
    if serial_number not in found and (serial_number or len(found) != 1):
        seen = f"found {', '.join(sorted(found))}" if found else "found none"
        sought = f"serial number {serial_number}" if serial_number else "exactly one camera, or its serial number"
        raise CameraError("camera.not_found", f"looked for {sought}, {seen}")
    config = ParameterSet(
        {
            ParameterKey.NUM_BUFFERS_FOR_FETCH_CALL: buffers,
            ParameterKey.TIMEOUT_PERIOD_ON_UPDATE_EVENT_DATA_CALL: POLL_MS,
            ParameterKey.ENABLE_AUTO_CHUNK_DATA_UPDATE: with_chunks,
        }
    )
    try:
        with _interrupts_as_they_were():
            info = found[serial_number] if serial_number else next(iter(found.values()))
            acquirer = harvester.create(info, config=config)
    except FOREIGN_ERRORS as error:
        raise CameraError("camera.not_found", f"the camera cannot be opened: {explain(error)}") from error
    if len(acquirer.data_streams) != 1:
        raise CameraError("camera.bad_image", f"the camera has {len(acquirer.data_streams)} data streams, not one")
    return acquirer


@contextmanager
def _interrupts_as_they_were() -> Iterator[None]:
    """Undo that harvesters puts its own handler of SIGINT there."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def serial_of(info: Any) -> str:
    """A found camera's serial number, or its id where the producer does not tell it."""
    try:
        return str(info.serial_number)
    except FOREIGN_ERRORS:
        return str(info.id_)
