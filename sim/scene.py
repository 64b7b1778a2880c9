"""What lies under the simulated camera: POSIX shared memory that the cell writes and the GenTL producer reads.

Where everything lies in it is told in `sim/scene_memory.py`.
"""

import contextlib
import fcntl
import mmap
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np

from sim.camera_fault import CameraFault, HangingCall
from sim.scene_memory import HEADER, MAGIC, is_file, path_of, publish
from station.core.choices import Speed
from station.core.errors import BugError, ConfigError
from station.core.part import Pixels

TURN_LINES_MAX = 65536
SENSOR_WIDTH_MAX_PX = 8192


class Scene:
    """One camera's scene: the writer's side. Several threads may use it.

    The memory exists from `create` to `close`. It is locked while its writer lives, so what a killed writer left behind
    is recognised and replaced.
    """

    def __init__(self, path: Path, file: int, memory: mmap.mmap, sensor_width: int) -> None:
        self._path = path
        self._file = file
        self._memory = memory
        self._header = np.frombuffer(memory, HEADER, count=1)
        self._image: Pixels = np.frombuffer(memory, np.uint8, offset=HEADER.itemsize).reshape(-1, sensor_width)
        self._lock = threading.Lock()
        self._order = threading.Lock()
        self._order.acquire()
        self._closed = False

    @classmethod
    def create(cls, name: str, sensor_width: int, pace: Speed, turn_lines: int) -> Self:
        """An empty, standing jig under this name.

        Args:
            name: A slash and a file name, as in the camera's SimScene feature; at most 63 characters.
            sensor_width: Pixels of a line, 1 to 8192.
            pace: REAL: lines pass at the line rate. MAX: a block is there when the one before was taken.
            turn_lines: Rows once around, 1 to 65536; of the surfaces to be shown those of the longest.

        Raises:
            ConfigError: The name is no such name or is used by a living process, or there is no memory left.
        """
        path = path_of(name)
        size = HEADER.itemsize + turn_lines * sensor_width
        if not 1 <= sensor_width <= SENSOR_WIDTH_MAX_PX:
            raise ConfigError("config.invalid", f"a sensor has 1 to {SENSOR_WIDTH_MAX_PX} px, not {sensor_width}")
        if not 1 <= turn_lines <= TURN_LINES_MAX:
            raise ConfigError("config.invalid", f"a simulated turn has 1 to {TURN_LINES_MAX} lines, not {turn_lines}")
        draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError("config.simulator_failed", f"scene {name}: {error}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.posix_fallocate(file, 0, size)
            scene = cls(path, file, mmap.mmap(file, size), sensor_width)
            scene._describe(sensor_width, turn_lines, pace)
            publish(draft, path)
        except OSError as error:
            os.close(file)
            raise ConfigError("config.simulator_failed", f"scene {name}: {error}") from error
        finally:
            draft.unlink(missing_ok=True)
        return scene

    def _describe(self, sensor_width: int, turn_lines: int, pace: Speed) -> None:
        header = self._header
        header["version"] = 1
        header["header_size"] = HEADER.itemsize
        header["sensor_width"] = sensor_width
        header["turn_lines"] = turn_lines
        header["pace"] = 1 if pace is Speed.MAX else 0
        header["writer_pid"] = os.getpid()
        header["sequence"] = 2
        header["magic"] = MAGIC

    def note_jig(self, link: str, terminal: str) -> None:
        """Keep where the jig's link is, and where it leads: who finds this scene dead clears it away."""
        self._header["jig_link"], self._header["jig_terminal"] = os.fsencode(link), os.fsencode(terminal)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _change(self) -> Iterator[None]:
        """Make what is stored inside visible as one change."""
        with self._lock:
            sequence = int(self._header["sequence"][0])
            self._header["sequence"] = sequence + 1
            self._keep_order()
            try:
                yield
            finally:
                self._keep_order()
                self._header["sequence"] = sequence + 2

    def _keep_order(self) -> None:
        """Let whoever sees a store made after this call see every store made before it.

        The interpreter makes the stores in the program's order, each through calls that no compiler looks into, and
        each number is aligned, so it is never seen by halves. x86-64 shows one core's stores to others in that order
        anyway. An Arm core may not, but it never moves a store down past the release of a lock, nor up past its
        acquisition, nor the acquisition before the release; so releasing and taking one keeps the order there too.
        """
        self._order.release()
        self._order.acquire()

    def show(self, image: Pixels | None) -> None:
        """Lay a surface under the camera, or take it away (None): then all is black.

        Args:
            image: (lines, sensor_width) uint8, the turn as the sensor sees it; at most as many lines as the scene was
                made for, and from now on the rows once around. It is copied: some ms.

        Raises:
            BugError: The image has another shape or type.
        """
        if image is not None and not self._has_room_for(image):
            raise BugError("station.bug", f"a scene of {self._image.shape} cannot show {image.shape} {image.dtype}")
        with self._change():
            if image is None:
                self._image[...] = 0
            else:
                self._image[: len(image)] = image
                self._header["turn_lines"] = len(image)
            self._header["part_present"] = 0 if image is None else 1
            self._header["surface_id"] += 1

    def _has_room_for(self, image: Pixels) -> bool:
        rows, columns = self._image.shape
        return image.dtype == np.uint8 and image.ndim == 2 and image.shape[1] == columns and 1 <= len(image) <= rows

    @property
    def turn_lines(self) -> int:
        """Rows once around, of the surface that was shown last."""
        return int(self._header["turn_lines"][0])

    def turn(self, period_ns: int, epoch_ns: int) -> None:
        """Turn at constant speed.

        Args:
            period_ns: Time of one turn.
            epoch_ns: Time on CLOCK_MONOTONIC (`time.monotonic_ns`) at which the angle was or will be 0: an index pulse.
        """
        with self._change():
            self._header["turn_period_ns"] = period_ns
            self._header["epoch_ns"] = epoch_ns
            self._header["turning"] = 1

    def stand_still(self) -> None:
        """Stop: the camera goes on seeing the same row, and there is no index pulse."""
        with self._change():
            self._header["turning"] = 0

    def slip(self, row: int, rows: int) -> None:
        """Let the part slip in the jig, in every turn from now on; 0 rows: it sits tight again.

        The jig and its encoder turn on, the camera sees the same row of the part again and again.

        Args:
            row: Where in the jig's turn, 0 to turn_lines - 1.
            rows: How many rows the part then stays behind, at most what is left of the turn; turns add up.

        Raises:
            BugError: A turn has no such row, or not so many.
        """
        lines = self.turn_lines
        if not 0 <= row < lines or not 0 <= rows <= lines - row:
            raise BugError("station.bug", f"a turn of {lines} rows cannot slip by {rows} at row {row}")
        with self._change():
            self._header["slip_row"] = row
            self._header["slip_rows"] = rows

    def fault(
        self,
        fault: CameraFault,
        *,
        block: int = 0,
        lines: int = 0,
        time_s: float = 0.0,
        call: HangingCall = HangingCall.EVENT_GET_DATA,
    ) -> None:
        """Order a fault of the camera that looks at this scene; an order that no camera has taken yet is replaced.

        It hits once: exactly one camera takes it, in the moment in which it hits. `ALWAYS_INCOMPLETE` and `SLOW` last
        from then on, until `NONE` is ordered or the camera loses its power.

        Args:
            fault: What goes wrong.
            block: Frame id of the block that it hits, 1 for the first of an acquisition. 0: at once, also between lines
                or while nothing is acquired, for `NONE`, `DISCONNECT` and `HANG`; the next block for the others.
            lines: Of a partial block: those that arrive. Of `DROP_LINES`: those that are lost.
            time_s: `LATE_BLOCK`, `SLOW`: how late. `DISCONNECT`: away at least so long. `HANG`: how long, 0 for ever.
            call: Which call hangs. Blocks stop while EventGetData hangs and come late afterwards.

        Raises:
            BugError: A number is negative or too large.
        """
        words = {
            "fault": fault.number,
            "fault_block": block,
            "fault_lines": lines,
            "fault_time_ms": round(time_s * 1000),
            "fault_call": call.number,
        }
        if not all(0 <= word < 2**32 for word in words.values()):
            raise BugError("station.bug", f"a camera cannot have this fault: {fault} {words}")
        with self._change():
            for name, word in words.items():
                self._header[name] = word
            self._header["fault_number"] += 1
            if fault is CameraFault.NONE:
                self._header["away_until_ns"] = 0

    @property
    def fault_waits(self) -> bool:
        """An order was given that no camera has taken yet."""
        return bool(self._header["fault_number"][0] != self._header["fault_taken"][0])

    def close(self) -> None:
        """Remove the memory; a second call has no effect. A producer that still has it keeps its last state."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if is_file(self._path, self._file):
                self._path.unlink()
            del self._header, self._image
            self._memory.close()
            os.close(self._file)
