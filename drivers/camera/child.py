"""The station's end of the camera process: start it, talk to it, notice its death at once, and end it for certain."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from drivers.camera.link import MAX_PACKET, BlockRing, FromProcess, Leave, Lost, ToProcess, channel_pair, pack, unpack
from station.core.errors import CameraError

LEAVE_TIMEOUT_S = 1.2
REAP_TIMEOUT_S = 0.3
STDERR_TAIL_BYTES = 4000
CODE_ROOT = str(Path(__file__).resolve().parents[2])
"""Folder of the packages, so that the process finds them also where they are not installed."""
NOISE = "GenTL producer does not implement"  # genicam's remark on every producer before GenTL 1.6


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message and when the station had it, on CLOCK_MONOTONIC."""

    message: FromProcess
    arrived_ns: int


class CameraChild:
    """A running camera process.

    Its messages are taken from the socket as soon as the event loop turns, also while nobody waits for one. What the
    producer prints is kept in part, for the detail of `camera.process_died`.

    Args:
        process: Runs `drivers.camera.process.service`.
        channel: The station's end of the packets; does not block.
        stderr: Reading end of the pipe of its standard error; does not block.
    """

    def __init__(self, process: asyncio.subprocess.Process, channel: socket.socket, stderr: int) -> None:
        self._process = process
        self._channel = channel
        self._stderr = stderr
        self._stderr_tail = b""
        self._inbox: asyncio.Queue[Arrival | None] = asyncio.Queue()
        self._cause: CameraError | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(channel, self._take)
        self._loop.add_reader(stderr, self._read_stderr)

    @classmethod
    async def start(cls, ring: BlockRing) -> "CameraChild":
        """Start the process with the ring's file; it imports the same code as the station."""
        station_end, process_end = channel_pair()
        hear, say = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)  # a chatty producer must never block on it
        path = os.pathsep.join(filter(None, (CODE_ROOT, os.environ.get("PYTHONPATH"))))
        try:
            process = await asyncio.create_subprocess_exec(
                *(
                    sys.executable,
                    "-P",
                    "-m",
                    "drivers.camera.process.service",
                    str(process_end.fileno()),
                    str(ring.file),
                ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=say,
                pass_fds=(process_end.fileno(), ring.file),
                env={**os.environ, "PYTHONPATH": path},
            )
        except BaseException:
            station_end.close()
            os.close(hear)
            raise
        finally:
            process_end.close()
            os.close(say)
        return cls(process, station_end, hear)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def failure(self) -> CameraError | None:
        """Why nothing can be asked of it any more, or None."""
        if self._cause is None:
            return None
        detail = self._cause.detail or self._exit_reason()
        return CameraError(self._cause.code, detail)

    def tell(self, message: ToProcess) -> None:
        """Send a message; never blocks.

        Raises:
            CameraError: The process or the camera is gone, or the process does not listen.
        """
        if self.failure is not None:
            raise self.failure
        try:
            self._channel.send(pack(message))
        except ConnectionError as error:
            self._fail(CameraError("camera.process_died"))
            raise CameraError("camera.process_died", self._exit_reason()) from error
        except OSError as error:
            self.kill(f"it takes no messages ({error}) and was ended")
            raise CameraError("camera.process_died", "it takes no messages") from error

    async def receive(self, deadline_s: float) -> Arrival:
        """The next message; the deadline is on the event loop's clock.

        Raises:
            TimeoutError: There was none in time.
            CameraError: The process or the camera is gone.
        """
        async with asyncio.timeout_at(deadline_s):
            arrival = await self._inbox.get()
        if arrival is not None:
            return arrival
        self._inbox.put_nowait(None)  # for whoever asks next
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), REAP_TIMEOUT_S)  # its exit status, for the detail
        raise self.failure or CameraError("camera.process_died", self._exit_reason())

    def kill(self, detail: str) -> None:
        """End the process at once; from now on every call fails with `camera.process_died` and this detail."""
        self._fail(CameraError("camera.process_died", detail))
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    async def end(self) -> None:
        """Let the process leave, or end it after 1.2 s; harmless when it is gone. All descriptors are closed."""
        with contextlib.suppress(CameraError):
            self.tell(Leave())
        self._fail(CameraError("camera.lost", "it was closed"))
        try:
            async with asyncio.timeout(LEAVE_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            pass
        finally:
            self.kill("")
            self._close()
        await self._process.wait()

    def _take(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while packet := self._receive_packet():
                arrival = Arrival(unpack(packet), time.monotonic_ns())
                if isinstance(arrival.message, Lost):
                    self._fail(CameraError("camera.lost", arrival.message.detail))
                    return
                self._inbox.put_nowait(arrival)
            self._fail(CameraError("camera.process_died"))

    def _receive_packet(self) -> bytes:
        try:
            return self._channel.recv(MAX_PACKET)
        except ConnectionResetError:
            return b""

    def _fail(self, cause: CameraError) -> None:
        if self._cause is None:
            self._cause = cause
            self._loop.remove_reader(self._channel)
            self._inbox.put_nowait(None)

    def _read_stderr(self) -> None:
        with contextlib.suppress(OSError):
            said = os.read(self._stderr, STDERR_TAIL_BYTES)
            self._stderr_tail = (self._stderr_tail + said)[-STDERR_TAIL_BYTES:]
            if not said:
                self._loop.remove_reader(self._stderr)

    def _close(self) -> None:
        if self._stderr >= 0:
            self._loop.remove_reader(self._stderr)
            os.close(self._stderr)
            self._stderr = -1
            self._channel.close()

    def _exit_reason(self) -> str:
        self._read_stderr()
        return exit_reason(self._process.returncode, self._stderr_tail)


def exit_reason(status: int | None, said: bytes) -> str:
    """How a camera's process ended, by its exit status, and the last line that it printed."""
    if status is None:
        how = "its connection broke"
    elif status < 0:
        how = f"it was ended by {signal.Signals(-status).name}"
    else:
        how = f"it ended with status {status}"
    lines = [line for line in said.decode(errors="replace").splitlines() if line and NOISE not in line]
    return f"{how}; its last words: {lines[-1]}" if lines else how
