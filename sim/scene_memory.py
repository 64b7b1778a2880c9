"""The shared memory of a scene: its layout, and who may hold its name.

Layout, version 1, little-endian, read by `sim/gentl/camera/scene.c`. The header takes 4096 bytes; the surface follows,
`turn_lines` rows of `sensor_width` bytes, row 0 where the jig's angle is 0. The memory has room for the longest turn
that is shown; `turn_lines` is that of the surface that is there now.

    0  char[8] "STNSCENE"   16 u32 sensor_width   32 u64 sequence       48 u32 part_present   56 u64 epoch_ns
    8  u32 version          20 u32 turn_lines     40 u64 surface_id     52 u32 turning        64 u64 turn_period_ns
    12 u32 header_size      24 u32 pace           28 u32 writer_pid     72 u32 slip_row       76 u32 slip_rows
    128 u64 fault_number    144 u32 fault         152 u32 fault_lines   160 u32 fault_call
    136 u64 fault_taken     148 u32 fault_block   156 u32 fault_time_ms   168 u64 away_until_ns   others reserved, zero
    1024 char[1024] jig_link    2048 char[128] jig_terminal: the link to the jig's terminal, and where it leads

`sequence` is a sequence lock: odd while anything is being changed, two more after every change. A reader looks at it
before and after, and reads again if it moved, so the writer never waits for a reader.

Orders of faults are counted in `fault_number`. The camera that takes one writes its number into `fault_taken`, by one
atomic exchange, in the moment in which the fault hits: so every order is taken exactly once, by one camera, even if the
process that took it is killed by what follows. A camera whose cable was pulled writes into `away_until_ns` for how
long, so that it is away for a consumer, too, that was started again meanwhile: once that has chosen the scene.
"""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from station.core.errors import ConfigError

FOLDER = Path("/dev/shm")  # noqa: S108 - where Linux keeps POSIX shared memory
MAGIC = b"STNSCENE"
SWEEP_S, LOOK_S = 0.5, 0.01
"""For how long another cell that starts may hold a leftover that it clears away, and how often that is looked at."""
HEADER = np.dtype(
    {
        "names": (
            *("magic", "version", "header_size", "sensor_width", "turn_lines", "pace", "writer_pid"),
            *("sequence", "surface_id", "part_present", "turning", "epoch_ns", "turn_period_ns"),
            *("slip_row", "slip_rows", "fault_number", "fault_taken"),
            *("fault", "fault_block", "fault_lines", "fault_time_ms", "fault_call", "away_until_ns"),
            *("jig_link", "jig_terminal"),
        ),
        "formats": (
            *("S8", *("<u4",) * 6, *("<u8",) * 2, *("<u4",) * 2, *("<u8",) * 2),
            *("<u4", "<u4", "<u8", "<u8", *("<u4",) * 5, "<u8"),
            *("S1024", "S128"),
        ),
        "offsets": (
            *(0, 8, 12, 16, 20, 24, 28, 32, 40, 48, 52, 56, 64),
            *(72, 76, 128, 136, *range(144, 164, 4), 168),
            *(1024, 2048),
        ),
        "itemsize": 4096,
    }
)


def path_of(name: str) -> Path:
    """The file of a shared memory's name.

    Raises:
        ConfigError: It is no such name.
    """
    plain = name[1:]
    if not name.startswith("/") or "/" in plain or plain in {"", ".", ".."} or len(name.encode()) > 63:
        raise ConfigError("config.invalid", f"a scene's name is a slash and at most 62 more characters, not {name!r}")
    return FOLDER / plain


def is_file(path: Path, file: int) -> bool:
    """Whether the path still leads to this open file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(found, os.fstat(file))


def publish(draft: Path, path: Path) -> None:
    """Give the finished memory its name; in the place of one that nobody holds any more.

    Raises:
        OSError: A living process holds the name.
    """
    deadline = time.monotonic() + SWEEP_S
    while not _published(draft, path):
        if time.monotonic() > deadline:
            raise FileExistsError("it is in use by another process")
        time.sleep(LOOK_S)


def _published(draft: Path, path: Path) -> bool:
    try:
        leftover = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        with suppress(FileExistsError):
            path.hardlink_to(draft)
            return True
        return False
    try:
        fcntl.flock(leftover, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_file(path, leftover):
            draft.rename(path)
            return True
    except BlockingIOError:
        pass
    finally:
        os.close(leftover)
    return False
