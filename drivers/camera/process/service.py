"""The camera's own process: serves one camera for one connection.

When the camera is lost it says so and ends, and the station starts another: what harvesters keeps of a dead camera, it
keeps until the process ends.

    python -m drivers.camera.process.service CHANNEL RING      file numbers, inherited from the station
"""

import ctypes
import os
import select
import signal
import socket
import sys
import traceback
from types import TracebackType
from typing import Any

from drivers.camera import link
from drivers.camera.process.device import Acquisition, Camera, keep_freed_memory
from drivers.camera.process.features import FOREIGN_ERRORS, explain
from station.core.errors import CameraError
from station.core.priority import take_precedence

FULL_S = 0.005
"""How long to wait for a slot before looking again, when the station has lent none."""
PR_SET_PDEATHSIG = 1


class CameraService:
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
        self._acquisition: Acquisition | None = None

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
        patience_s: float | None = None
        if self._acquisition is not None:
            patience_s = 0 if self._acquisition.has_room else FULL_S
            self._take(self._acquisition)
        if not select.select([self._channel], [], [], patience_s)[0]:
            return True
        packet = self._channel.recv(link.MAX_PACKET)
        request = link.unpack(packet) if packet else link.Leave()
        if isinstance(request, link.Leave):
            return False
        if isinstance(request, link.Lend):
            if self._acquisition is not None and self._acquisition.number == request.number:
                self._acquisition.lend(request.slots)
            return True
        try:
            self._tell(self._carry_out(request))
        except CameraError as error:
            self._tell(link.Refused(request.number, error.code, error.detail))
        return True

    def _carry_out(self, request: link.Request) -> link.Done:
        self._end_acquisition()
        match request:
            case link.Connect():
                self._ring = link.map_slots(self._ring_file, request.slots, request.slot_lines, request.width_px)
                self._camera = Camera()
                absent = self._camera.connect(request)
                return link.Done(request.number, self._camera.features(), absent)
            case link.Prepare() if self._camera is not None:
                self._camera.prepare(request)
                return link.Done(request.number, self._camera.features())
            case link.Arm() if self._camera is not None:
                self._acquisition = Acquisition(request, self._ring, self._camera.start())
        return link.Done(request.number, {})

    def _take(self, acquisition: Acquisition) -> None:
        if self._camera is None or not acquisition.has_room:
            return
        try:
            arrived = self._camera.fetch(acquisition)
        except CameraError as error:
            self._tell(link.Refused(acquisition.number, error.code, error.detail))
            self._end_acquisition()
            return
        over = False
        for message in arrived:
            self._tell(message)
            over = acquisition.note(message)
        if over:
            self._tell(link.TurnEnded(acquisition.number))
            self._end_acquisition()

    def _end_acquisition(self) -> None:
        if self._acquisition is not None and self._camera is not None:
            self._acquisition = None
            self._camera.stop()

    def _tell(self, message: link.FromProcess) -> None:
        self._channel.send(link.pack(message))


FOR_THE_STATION = (
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGTTOU, signal.SIGTTIN,
)  # fmt: skip
"""What a terminal or a supervisor tells all processes of a group is the station's to answer."""


def _die(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The last words of a bug, and the end, before a producer's clean-up at exit can hang."""
    traceback.print_exception(kind, error, trace)
    os._exit(1)


def end_with_parent() -> None:
    """Let this process be killed when the thread that started it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main(channel_file: int, ring_file: int) -> None:
    """Serve the station until it hangs up; nothing is printed."""
    sys.excepthook = _die
    end_with_parent()
    for number in FOR_THE_STATION:
        signal.signal(number, signal.SIG_IGN)
    take_precedence()
    keep_freed_memory()
    service = CameraService(socket.socket(fileno=channel_file), ring_file)
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
