"""The scene's shared memory: what a reader finds at which offset, and who may hold a name."""

import mmap
import os
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sim.scene import Scene
from station.core.choices import Speed
from station.core.errors import BugError, ConfigError

SHARED_MEMORY = "/dev/shm"  # noqa: S108 - where Linux keeps it


@pytest.fixture
def name() -> str:
    return f"/station-test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def scene(name: str) -> Iterator[Scene]:
    with Scene.create(name, sensor_width=64, pace=Speed.REAL, turn_lines=16) as made:
        yield made


def memory_of(name: str) -> bytes:
    """The memory as another process sees it."""
    with (
        Path(SHARED_MEMORY, name[1:]).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as memory,
    ):
        return memory[:]


def test_header_lies_at_the_documented_offsets(scene: Scene, name: str) -> None:
    scene.show(np.full((16, 64), 7, np.uint8))
    scene.turn(period_ns=170_000_000, epoch_ns=123_456_789_012)
    memory = memory_of(name)
    magic, version, header_size, width, lines, pace, pid = struct.unpack_from("<8s6I", memory, 0)
    assert (magic, version, header_size, width, lines, pace, pid) == (b"STNSCENE", 1, 4096, 64, 16, 0, os.getpid())
    sequence, surface, present, turning, epoch, period = struct.unpack_from("<QQIIQQ", memory, 32)
    assert (sequence, surface, present, turning, epoch, period) == (6, 1, 1, 1, 123_456_789_012, 170_000_000)
    assert memory[72:4096] == bytes(4096 - 72)
    assert memory[4096:] == bytes([7]) * 16 * 64


def test_maximum_pace_is_told_to_the_producer(name: str) -> None:
    with Scene.create(name, sensor_width=8, pace=Speed.MAX, turn_lines=2):
        assert struct.unpack_from("<I", memory_of(name), 24) == (1,)


def test_an_emptied_jig_is_black_and_another_surface(scene: Scene, name: str) -> None:
    scene.show(np.full((16, 64), 200, np.uint8))
    scene.show(None)
    memory = memory_of(name)
    assert struct.unpack_from("<QI", memory, 40) == (2, 0)
    assert not any(memory[4096:])


def test_a_shorter_turn_is_shown_in_as_many_rows_as_it_has_and_its_end_is_its_beginning(
    scene: Scene, name: str
) -> None:
    for rows in (16, 5):
        scene.show(np.full((rows, 64), rows, np.uint8))
        memory = memory_of(name)
        assert struct.unpack_from("<I", memory, 20) == (rows,)
        assert memory[4096 : 4096 + 64 * rows] == bytes([rows]) * 64 * rows
        assert scene.turn_lines == rows
    with pytest.raises(BugError, match="a turn of 5 rows cannot slip by 2 at row 4"):
        scene.slip(4, 2)


@pytest.mark.parametrize("lines", [0, 65537])
def test_a_turn_that_no_camera_can_be_shown_is_refused(name: str, lines: int) -> None:
    with pytest.raises(ConfigError, match="1 to 65536 lines"):
        Scene.create(name, sensor_width=8, pace=Speed.REAL, turn_lines=lines)


def test_standing_still_leaves_the_sequence_even(scene: Scene, name: str) -> None:
    scene.turn(period_ns=1_000_000, epoch_ns=time.monotonic_ns())
    scene.stand_still()
    sequence, _, _, turning = struct.unpack_from("<QQII", memory_of(name), 32)
    assert (sequence, turning) == (6, 0)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((16, 63), np.uint8),
        np.zeros((17, 64), np.uint8),
        np.zeros((0, 64), np.uint8),
        np.zeros((16, 64), np.uint16),
    ],
)
def test_an_image_that_does_not_fit_is_refused_and_changes_nothing(scene: Scene, name: str, image: np.ndarray) -> None:
    before = memory_of(name)
    with pytest.raises(BugError, match="cannot show"):
        scene.show(image)
    assert memory_of(name) == before


def test_closing_removes_the_memory_once(name: str) -> None:
    scene = Scene.create(name, sensor_width=8, pace=Speed.REAL, turn_lines=4)
    scene.close()
    scene.close()
    assert not Path(SHARED_MEMORY, name[1:]).exists()


def test_a_name_in_use_is_refused_and_its_scene_unharmed(scene: Scene, name: str) -> None:
    scene.show(np.full((16, 64), 9, np.uint8))
    with pytest.raises(ConfigError, match="in use by another process"):
        Scene.create(name, sensor_width=8, pace=Speed.REAL, turn_lines=4)
    assert memory_of(name)[4096:] == bytes([9]) * 16 * 64
    assert not list(Path(SHARED_MEMORY).glob(f".{name[1:]}.*"))


def test_what_a_killed_writer_left_behind_is_replaced(name: str) -> None:
    program = (
        "import os, signal, sys; from sim.scene import Scene; from station.core.choices import Speed\n"
        "Scene.create(sys.argv[1], 32, Speed.MAX, turn_lines=4)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, name], check=False, cwd=Path(__file__).parents[2])
    assert struct.unpack_from("<I", memory_of(name), 16) == (32,)
    with Scene.create(name, sensor_width=64, pace=Speed.REAL, turn_lines=4):
        assert struct.unpack_from("<I", memory_of(name), 16) == (64,)
    assert not Path(SHARED_MEMORY, name[1:]).exists()


@pytest.mark.parametrize("bad", ["station-scene", "/", "/a/b", "/..", "/" + "x" * 63, ""])
def test_a_name_that_is_no_shared_memory_name_is_refused(bad: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Scene.create(bad, sensor_width=8, pace=Speed.REAL, turn_lines=4)
    assert refused.value.code == "config.invalid"


@pytest.mark.parametrize("width", [0, 8193])
def test_a_sensor_that_no_camera_has_is_refused(name: str, width: int) -> None:
    with pytest.raises(ConfigError, match="1 to 8192"):
        Scene.create(name, sensor_width=width, pace=Speed.REAL, turn_lines=4)
