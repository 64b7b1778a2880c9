"""The camera's own process: the only place where harvesters is loaded.

harvesters holds the interpreter's lock while it waits for an image, and a producer may crash or hang; here that harms
nobody. The process serves one camera for one connection. When the camera is lost it says so and ends, and the station
starts another: what harvesters keeps of a dead camera, it keeps until the process ends.

    python -m drivers.camera_process CHANNEL RING      file numbers, inherited from the station
"""

import ctypes
import logging
import os
import select
import signal
import socket
import sys
import time
import traceback
from types import TracebackType
from typing import Any

from harvesters.core import Callback, Harvester, ImageAcquirer, ParameterKey, ParameterSet

from drivers import camera_link as link
from drivers.camera_buffer import copy_lines, read_buffer
from drivers.camera_clock import DeviceClock, latch_offset_ns
from drivers.camera_features import (
    FOREIGN_ERRORS,
    check_image_format,
    explain,
    read_feature,
    read_node,
    snapshot,
    write_feature,
)
from station.core.errors import CameraError
from station.core.part import BLOCKS_PER_TURN

POLL_MS = 5
FETCH_S = 0.01
PR_SET_PDEATHSIG = 1

FIRST_FRAME_ID = {"U3V": 0}
"""Number of an acquisition's first block by transport layer; 1 elsewhere, as GigE Vision counts."""


class _Discards(Callback):  # type: ignore[misc]
    """Counts the incomplete buffers that harvesters throws away; try_fetch does not tell them from a time-out."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, context: object = None) -> None:  # noqa: ARG002
        """Count one; `context` is the acquirer."""
        self.count += 1


class Camera:
    """One open camera; every method may block for as long as the producer likes.

    Any error of genicam in here but a refused feature means that the camera is lost; the caller translates it.
    """

    def __init__(self) -> None:
        self._harvester = Harvester()
        self._acquirer: Any = None
        self._discards = _Discards()
        self._names: tuple[str, ...] = ()
        self._width_px = 0
        self._first_id = 1

    def connect(self, request: link.Connect) -> None:
        """Open the camera, write its features and check what came of them.

        Raises:
            CameraError: No producer, no camera, or a feature was refused.
        """
        self._acquirer = _open(self._harvester, request)
        self._acquirer.add_callback(ImageAcquirer.Events.INCOMPLETE_BUFFER, self._discards)
        self._width_px = request.width_px
        self._first_id = FIRST_FRAME_ID.get(self._acquirer.device.tl_type, 1)
        self._names = tuple(name for name, _ in request.setup)
        for name, value in request.setup:
            self._write(name, value)
        check_image_format(self._nodes, request.width_px)

    @property
    def _nodes(self) -> Any:
        return self._acquirer.remote_device.node_map

    def features(self) -> dict[str, link.FeatureValue]:
        """Every feature that was written, and the camera's identity, as they are now."""
        return snapshot(self._nodes, dict.fromkeys(self._names))

    def prepare(self, request: link.Prepare) -> None:
        """Write line rate and exposure, the exposure first when lines get shorter, so that it always fits into one."""
        pair = [request.line_rate, request.exposure]
        now = read_feature(self._nodes, request.line_rate[0])
        faster = isinstance(now, int | float) and request.line_rate[1] > now
        for name, value in reversed(pair) if faster else pair:
            self._write(name, value)
        self._names = tuple(dict.fromkeys((*self._names, *(name for name, _ in pair))))

    def start(self) -> DeviceClock:
        """Arm for one turn; AcquisitionStart is done when this returns."""
        clock = DeviceClock(latch_offset_ns(self._nodes))
        self._acquirer.start(run_as_thread=False)
        return clock

    def stop(self) -> None:
        """Disarm; harmless when not armed."""
        self._acquirer.stop()

    def fetch(self, turn: "Turn") -> list[link.BlockFilled | link.Discarded]:
        """What came within a hundredth of a second: a block, copied into its slot; a discarded one; or nothing."""
        before = self._discards.count
        buffer = self._acquirer.try_fetch(timeout=FETCH_S, is_raw=True)
        if buffer is None:
            return [link.Discarded(turn.number)] * (self._discards.count - before)
        arrived_ns = time.monotonic_ns()
        try:
            image = read_buffer(buffer, self._width_px)
            slot = turn.next_slot()
            copy_lines(buffer.raw_buffer, image, turn.slots[slot])
        finally:
            buffer.parent.queue_buffer(buffer)
        last_line_ns = turn.clock.monotonic_ns(image.stamp_ns, arrived_ns)
        frame_id = image.frame_id - self._first_id
        return [link.BlockFilled(turn.number, slot, frame_id, image.delivered_lines, last_line_ns)]

    def release(self) -> None:
        """Let the camera go, so that others may open it at once."""
        self._harvester.reset()

    def _write(self, name: str, value: link.FeatureValue) -> None:
        try:
            write_feature(self._nodes, name, value)
        except CameraError:
            read_node(self._nodes.get_node("Width"))  # a refusal comes from a camera that still answers
            raise


class Turn:
    """One armed turn: where its blocks go, and when it is over.

    Args:
        request: The number and the slots.
        ring: All slots, (24, 448, width) uint8.
        clock: Translates the time stamps.
    """

    def __init__(self, request: link.Arm, ring: Any, clock: DeviceClock) -> None:
        self.number = request.number
        self.slots = ring
        self.clock = clock
        self._free = list(request.slots)
        self._seen = 0
        self._last_id = -1

    def next_slot(self) -> int:
        """The slot of the next block."""
        return self._free.pop(0)

    def note(self, message: link.BlockFilled | link.Discarded) -> bool:
        """Count a block; whether it was the turn's last: the eighth that came, or the one with the last number."""
        self._seen += 1
        if isinstance(message, link.BlockFilled):
            self._last_id = message.frame_id
        return self._seen >= BLOCKS_PER_TURN or self._last_id >= BLOCKS_PER_TURN - 1


class Service:
    """Carries out the station's requests, and tells it of blocks, until it hangs up or the camera is lost.

    Args:
        channel: Packets from and to the station; blocking.
        ring_file: The shared memory of the blocks.
    """

    def __init__(self, channel: socket.socket, ring_file: int) -> None:
        self._channel = channel
        self._ring_file = ring_file
        self._ring: Any = None
        self._camera: Camera | None = None
        self._turn: Turn | None = None

    def run(self) -> None:
        """Serve; returns when the station has hung up, says `Leave`, or the camera is lost."""
        try:
            while self._serve_one():
                pass
        except (*FOREIGN_ERRORS, AssertionError) as error:
            self._tell(link.Lost(explain(error)))

    def release(self) -> None:
        """Let the camera go."""
        if self._camera is not None:
            self._camera.release()

    def _serve_one(self) -> bool:
        if self._turn is not None:
            self._take(self._turn)
        patience_s = 0 if self._turn is not None else None
        if not select.select([self._channel], [], [], patience_s)[0]:
            return True
        packet = self._channel.recv(link.MAX_PACKET)
        request = link.unpack(packet) if packet else link.Leave()
        if isinstance(request, link.Leave):
            return False
        try:
            self._tell(link.Done(request.number, self._carry_out(request)))
        except CameraError as error:
            self._tell(link.Refused(request.number, error.code, error.detail))
        return True

    def _carry_out(self, request: link.Request) -> dict[str, link.FeatureValue]:
        self._end_turn()
        match request:
            case link.Connect():
                self._ring = link.map_slots(self._ring_file, request.width_px)
                self._camera = Camera()
                self._camera.connect(request)
                return self._camera.features()
            case link.Prepare() if self._camera is not None:
                self._camera.prepare(request)
                return self._camera.features()
            case link.Arm() if self._camera is not None:
                self._turn = Turn(request, self._ring, self._camera.start())
        return {}

    def _take(self, turn: Turn) -> None:
        if self._camera is None:
            return
        try:
            arrived = self._camera.fetch(turn)
        except CameraError as error:
            self._tell(link.Refused(turn.number, error.code, error.detail))
            self._end_turn()
            return
        over = False
        for message in arrived:
            self._tell(message)
            over = turn.note(message)
        if over:
            self._tell(link.TurnEnded(turn.number))
            self._end_turn()

    def _end_turn(self) -> None:
        if self._turn is not None and self._camera is not None:
            self._turn = None
            self._camera.stop()

    def _tell(self, message: link.FromProcess) -> None:
        self._channel.send(link.pack(message))


def _open(harvester: Any, request: link.Connect) -> Any:
    """An acquirer for the camera of this serial number, or for the only one."""
    for path in request.producers:
        try:
            harvester.add_file(path, check_existence=True, check_validity=True)
        except OSError as error:
            raise CameraError("camera.no_producer", f"{path} cannot be loaded: {error}") from error
    harvester.update()
    found = {str(_serial(info)): info for info in harvester.device_info_list}
    wanted = request.serial_number
    if wanted not in found and (wanted or len(found) != 1):
        seen = f"found {', '.join(sorted(found))}" if found else "found none"
        sought = f"serial number {wanted}" if wanted else "exactly one camera, or its serial number"
        raise CameraError("camera.not_found", f"looked for {sought}, {seen}")
    config = ParameterSet(
        {
            ParameterKey.NUM_BUFFERS_FOR_FETCH_CALL: request.buffers,
            ParameterKey.TIMEOUT_PERIOD_ON_UPDATE_EVENT_DATA_CALL: POLL_MS,
            ParameterKey.ENABLE_AUTO_CHUNK_DATA_UPDATE: False,
        }
    )
    try:
        acquirer = harvester.create(found[wanted] if wanted else next(iter(found.values())), config=config)
    except FOREIGN_ERRORS as error:
        raise CameraError("camera.not_found", f"the camera cannot be opened: {explain(error)}") from error
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # harvesters has put its own handler there
    if len(acquirer.data_streams) != 1:
        raise CameraError("camera.bad_image", f"the camera has {len(acquirer.data_streams)} data streams, not one")
    return acquirer


def _serial(info: Any) -> str:
    try:
        return str(info.serial_number)
    except FOREIGN_ERRORS:
        return str(info.id_)


def _die(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The last words of a bug, and the end, before a producer's clean-up at exit can hang."""
    traceback.print_exception(kind, error, trace)
    os._exit(1)


def main(channel_file: int, ring_file: int) -> None:
    """Serve the station until it hangs up; nothing is printed."""
    sys.excepthook = _die
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the station's to answer
    logging.disable(logging.CRITICAL)  # harvesters logs what is told to the station anyway
    service = Service(socket.socket(fileno=channel_file), ring_file)
    try:
        service.run()
        service.release()
    except (BrokenPipeError, ConnectionResetError):
        pass  # the station is gone
    except FOREIGN_ERRORS:
        pass  # a lost camera cannot be let go
    os._exit(0)  # a producer's own clean-up at exit may hang or crash


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
