"""Modbus RTU: a slave at a pseudo-terminal, which masters open like any serial device.

The terminal's path changes with every start, so a link at a configured path leads to it. It leads there by way of the
process that serves it: when that is gone it leads nowhere, and never to the terminal that is given the number next.
The line outlives its masters: one may go and another come.

A pseudo-terminal carries bytes in no time, a serial line does not: what goes over this one is there when its last bit
would be, request and answer alike.
"""

import asyncio
import contextlib
import errno
import os
import select
import struct
import tty
from collections.abc import Callable
from heapq import heappop, heappush
from pathlib import Path

from sim.exact_timer import ExactTimer
from sim.modbus.slave import Slave, answer
from station.core.errors import ConfigError

BROADCAST = 0
SILENCE_S = 0.02  # ends a frame of unknown length: the standard's 1.75 ms, and a scheduler's delay
FRAME_MIN, FRAME_MAX = 4, 256
KERNELS_ROOM = 4096  # bytes that the kernel keeps for whoever reads a terminal; N_TTY_BUF_SIZE
ROOT = 0


def crc(data: bytes) -> bytes:
    """The checksum of a frame, as it is sent. Source: MODBUS over Serial Line V1.02, section 6.2.2."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return struct.pack("<H", register)


class _Wire:
    """What is on its way: each frame takes the time of its bytes.

    Args:
        byte_s: How long a byte is on the wire; 0 for one that takes no time.
    """

    def __init__(self, byte_s: float) -> None:
        self._byte_s = byte_s
        self._under_way: list[tuple[float, int, Callable[[], None]]] = []
        self._carried = 0
        self._timer: ExactTimer | None = None

    def open(self) -> None:
        """Carry frames from now on."""
        if self._byte_s:
            self._timer = ExactTimer(self._arrive)

    def carry(self, frame: bytes, then: Callable[[bytes], None]) -> None:
        """Have something done with a frame when it has come over; at once where the line takes no time."""
        if self._timer is None:
            then(frame)
            return
        self._carried += 1
        over_s = asyncio.get_running_loop().time() + self._byte_s * len(frame)
        heappush(self._under_way, (over_s, self._carried, lambda: then(frame)))
        self._timer.set(self._under_way[0][0])

    def close(self) -> None:
        """What is on its way is lost."""
        self._under_way.clear()
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def _arrive(self) -> None:
        now_s = asyncio.get_running_loop().time()
        while self._under_way and self._under_way[0][0] <= now_s:
            heappop(self._under_way)[2]()
        if self._timer is not None:
            self._timer.set(self._under_way[0][0] if self._under_way else None)


class _Terminal:
    """Both ends of a pseudo-terminal, of which one is ours; nobody asks it in between whether something has come.

    Whoever asks a terminal that is empty, also without wanting to wait, waits until the kernel's worker is through with
    it, and that is an ordinary thread: while others compute in real time on every core, the event loop would stand
    (`findings/a-poll-of-a-terminal-that-does-not-wait-waits.sh`). So only the edges are listened to, and each time all
    that is there is read at once.

    Args:
        hear: Is given what has come, in the event loop.

    Attributes:
        theirs: The descriptor of the end that masters open.
    """

    def __init__(self, hear: Callable[[bytes], None]) -> None:
        self._hear = hear
        self._ours, self.theirs = os.openpty()
        tty.setraw(self._ours)
        tty.setraw(self.theirs)
        os.set_blocking(self._ours, False)
        self._edges = select.epoll()
        self._edges.register(self._ours, select.EPOLLIN | select.EPOLLET)
        asyncio.get_running_loop().add_reader(self._edges, self._comes)

    def tell(self, data: bytes) -> None:
        """Send; what nobody reads is lost, as on any serial line."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._ours, data)

    def close(self) -> None:
        """Hang up."""
        asyncio.get_running_loop().remove_reader(self._edges)
        self._edges.close()
        os.close(self._ours)
        os.close(self.theirs)

    def _comes(self) -> None:
        self._edges.poll(0)
        with contextlib.suppress(BlockingIOError):  # it was read with what came before it
            self._hear(os.read(self._ours, KERNELS_ROOM))


class RtuLine:
    """Serves one slave at a pseudo-terminal.

    Args:
        slave: The device.
        unit: Its unit id; requests to other units are not answered, broadcasts are obeyed without an answer.
        byte_s: How long a byte is on the wire; 0 for a line that takes no time.

    Attributes:
        silent: Nothing goes through the line, either way.
        noisy: Every tenth answer is spoilt on its way.
        device: The terminal's own path, while it is open.
        target: Where the link leads.
    """

    def __init__(self, slave: Slave, unit: int, byte_s: float = 0.0) -> None:
        self._slave = slave
        self._unit = unit
        self._wire = _Wire(byte_s)
        self._buffer = b""
        self._silence: asyncio.TimerHandle | None = None
        self._terminal: _Terminal | None = None
        self._link: Path | None = None
        self.device = self.target = ""
        self.silent = False
        self.noisy = False
        self._answers = 0

    def open(self, link: Path) -> str:
        """Serve from now on; the terminal's own path, which `link` leads to. A link that is there is replaced.

        Raises:
            ConfigError: The link cannot be made.
        """
        self._terminal = _Terminal(self._receive)
        self._wire.open()
        self.device = os.ttyname(self._terminal.theirs)
        self.target = f"/proc/{os.getpid()}/fd/{self._terminal.theirs}"
        try:
            _link(link, self.target)
        except OSError as error:
            self.close()
            raise ConfigError("config.file_failed", f"jig.link.device = {link}: {error.strerror}") from error
        self._link = link
        return self.device

    def close(self) -> None:
        """Hang up, and remove the link unless it leads to another line by now."""
        if self._terminal is None:
            return
        if self._silence:
            self._silence.cancel()
        self._wire.close()
        self._terminal.close()
        self._terminal = None
        if self._link and self._link.is_symlink() and str(self._link.readlink()) == self.target:
            self._link.unlink()

    def _receive(self, data: bytes) -> None:
        if self._silence:
            self._silence.cancel()
        self._buffer += data
        length = _frame_length(self._buffer)
        if length and len(self._buffer) >= length:
            frame, self._buffer = self._buffer[:length], b""
            self._wire.carry(frame, self._answer)
        else:
            self._silence = asyncio.get_running_loop().call_later(SILENCE_S, self._end_frame)

    def _end_frame(self) -> None:
        frame, self._buffer = self._buffer, b""
        self._wire.carry(frame, self._answer)

    def _answer(self, frame: bytes) -> None:
        if self.silent or not FRAME_MIN <= len(frame) <= FRAME_MAX or crc(frame[:-2]) != frame[-2:]:
            return
        if frame[0] not in (self._unit, BROADCAST):
            return
        response = frame[:1] + answer(self._slave, frame[1:-2])
        if frame[0] != BROADCAST:
            self._wire.carry(response + crc(response), self._tell)

    def _tell(self, frame: bytes) -> None:
        if self._terminal is not None and not self.silent:
            self._terminal.tell(self._spoilt(frame))

    def _spoilt(self, frame: bytes) -> bytes:
        """What the line makes of a frame."""
        self._answers += 1
        if self.noisy and self._answers % 10 == 0:
            return frame[:2] + bytes((frame[2] ^ 0x10,)) + frame[3:]
        return frame


def _link(link: Path, device: str) -> None:
    """Make, or turn, the link; never take the place of anything but a link."""
    link.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if link.parent.stat().st_uid not in {ROOT, os.geteuid()}:
        raise PermissionError(errno.EPERM, "the folder belongs to another user, who could turn the link")
    if link.exists() and not link.is_symlink():
        raise FileExistsError(errno.EEXIST, "there is something else than a link")
    fresh = link.with_name(f"{link.name}.{os.getpid()}")
    fresh.symlink_to(device)
    fresh.replace(link)


def _frame_length(begun: bytes) -> int:
    """Length of the request that begins so; 0 while, or where, its function does not tell."""
    if len(begun) < 2:
        return 0
    if begun[1] in range(1, 7):
        return 8
    if begun[1] in (15, 16) and len(begun) > 6:
        return 9 + begun[6]
    return 0
