"""The compiled passes give bit for bit what the calls give that they stand for, and touch nothing beside the arrays."""

import ctypes
import ctypes.util
import mmap
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from station.core import compiler
from station.core.errors import ConfigError
from station.core.geometry import Geometry
from station.core.part import Crop, Pixels, Roi
from station.flow.patch import StripRoom, blocks_of, make_strip
from station.flow.pixels import build, library, passes
from station.flow.pixels.resizing import Resizing, compiled
from station.flow.pixels.sharing import shares
from station.flow.turn.passage import Passage
from station.host.bundles import make_classifier
from tests.cell.bench import settings
from tests.lines import LINES_PER_BLOCK, PATCH_PX
from tests.turned import GEOMETRY

SENSOR_PX = 5472


def block(seed: int, columns: int = SENSOR_PX, start: int = 0) -> Pixels:
    """A view into a block of noise, with black and white in it."""
    return noise(seed)[:, start : start + columns]


@cache
def noise(seed: int) -> Pixels:
    """As wide as the sensor."""
    rng = np.random.default_rng(seed)
    return rng.integers(-20, 276, (LINES_PER_BLOCK, SENSOR_PX), np.int16).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("columns", [1, 15, 1023, 1024, 1025, SENSOR_PX])
@pytest.mark.parametrize("lines", [7, 14, 448, 453, 7 * 257, 7 * 258 + 3])
def test_a_columns_grey_value_is_the_median_of_seven_means(columns: int, lines: int) -> None:
    pixels = np.tile(block(1), (5, 1))[:lines, :columns]
    groups = pixels[: lines // 7 * 7].reshape(7, lines // 7, columns).sum(axis=1, dtype=np.int64)
    expected = np.asarray(np.median(groups, axis=0), np.float32) / np.float32(lines // 7)
    assert passes.profile(pixels).tolist() == expected.tolist()


def test_white_columns_of_the_longest_groups_do_not_overflow() -> None:
    assert set(passes.profile(np.full((7 * 257, 40), 255, np.uint8)).tolist()) == {255.0}


@pytest.mark.parametrize("columns", [1, 2, 5, 1000])
def test_a_smoothed_profile_is_opencvs_box(columns: int) -> None:
    profile = np.random.default_rng(columns).integers(0, 255 * 64, columns).astype(np.float32) / np.float32(64)
    sums = cv2.boxFilter(profile[np.newaxis], cv2.CV_32F, (5, 1), normalize=False, borderType=cv2.BORDER_REPLICATE)
    assert passes.smooth(profile, 2).tolist() == (sums[0] / np.float32(5)).tolist()


@pytest.mark.parametrize(
    ("border", "coarse", "found"),
    [
        ([], 300, 300),
        ([], 310, 300),
        ([], 290, None),
        ([20] * 30, 300, 270),
        ([20] * 127, 300, 173),
        ([9] * 30, 300, 300),
        ([20] * 20 + [4] * 10 + [20] * 20, 300, 280),
        ([20] * 20 + [12] * 10 + [20] * 20, 300, 250),
        ([], 500, None),
        ([], 200, None),
    ],
)
def test_the_outermost_step_from_which_a_part_goes_on(border: list[float], coarse: int, found: int | None) -> None:
    profile = np.zeros(700, np.float32)
    profile[300:600] = 90
    profile[300 - len(border) : 300] = border
    assert passes.edge(profile, coarse, 128, 4, 10) == found
    backwards = np.ascontiguousarray(profile[::-1])[::-1]
    assert passes.edge(backwards, coarse, 128, 4, 10) == found


def test_an_edge_at_the_border_of_the_sensor_is_not_looked_for_beyond_it() -> None:
    bright = np.full(40, 90, np.float32)
    assert passes.edge(bright, 0, 128, 4, 10) is None
    bright[0] = 0
    assert passes.edge(bright, 0, 128, 4, 10) == 1
    assert passes.edge(bright, 39, 128, 4, 10) == 1


@pytest.mark.parametrize("columns", [1, 31, 1024, 1575])
@pytest.mark.parametrize("lines", [1, 255, 256, 448])
def test_white_pixels_are_counted(columns: int, lines: int) -> None:
    pixels = block(2, columns, 3)[:lines]
    assert passes.white(pixels) == np.count_nonzero(pixels == 255)
    assert passes.white(np.full((lines, columns), 255, np.uint8)) == lines * columns


WIDTHS = (512, 513, 570, 690, 767, 768, 769, 935, 1023, 1024, 1025, 1065, 1536, 1575, 2048, 2049, 3001, 4097, SENSOR_PX)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_strip_is_what_opencv_makes_of_the_block(width: int) -> None:
    for seed in range(3):
        pixels = block(seed, width, (SENSOR_PX - width) // 2)
        resized = cv2.resize(pixels, (2 * PATCH_PX, PATCH_PX), interpolation=cv2.INTER_AREA)
        made = make_strip(Crop(0, Roi(0, width), pixels), StripRoom(GEOMETRY)).patches
        assert np.array_equal(np.concatenate(list(made), axis=1), resized)


GEOMETRIES = (
    Geometry(3584, 448, 256, 2),
    Geometry(4096, 512, 256, 1),
    Geometry(7168, 896, 128, 3),
    Geometry(2400, 300, 192, 2),
    Geometry(1800, 225, 160, 2),
    Geometry(1024, 256, 256, 2),
    Geometry(1000, 125, 64, 5),
    Geometry(960, 120, 60, 1),
    Geometry(2304, 576, 9, 7),
    Geometry(11008 * 2, 11008, 256, 1),
)


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_a_strip_of_any_geometry_is_what_opencv_makes_of_the_block_and_of_the_whole_turn(geometry: Geometry) -> None:
    rows, wide = geometry.strip_shape
    room = StripRoom(geometry)
    for width in {wide - 1, wide, wide + 1, 2 * wide, 2 * wide + 3, 700}:
        image = np.random.default_rng(width).integers(0, 256, (geometry.lines_per_turn, width), np.uint8)
        whole = cv2.resize(image, (wide, geometry.blocks_per_turn * rows), interpolation=cv2.INTER_AREA)
        made = np.concatenate(
            [np.concatenate(list(room.make(each.pixels)), axis=1) for each in blocks_of(image, geometry)]
        )
        assert np.array_equal(made, whole)


def test_what_opencv_resizes_by_other_weights_is_left_to_it() -> None:
    assert compiled(GEOMETRY, 512)
    assert not compiled(GEOMETRY, 511)
    halved = Geometry(4096, 512, 256, 2)
    assert compiled(halved, 1025)
    assert not compiled(halved, 1024)
    assert not compiled(Geometry(2304, 576, 9, 7), 600), "63 columns are no multiple of four"


def test_the_shares_of_every_pixel_add_up() -> None:
    for source in (512, 700, 1065, 5000):
        assert np.allclose(shares(source, 512).shares.sum(axis=1), 1, atol=1e-6)


# ---------------------------------------------------------------------- nothing beside the arrays


@pytest.fixture
def at_the_edge() -> Iterator[Callable[[Pixels], Pixels]]:
    """Copies pixels to where the memory ends: to read a byte behind them ends the process."""
    libc = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
    maps: list[mmap.mmap] = []

    def copied(pixels: Pixels) -> Pixels:
        length = -(-pixels.size // mmap.PAGESIZE) * mmap.PAGESIZE
        memory = mmap.mmap(-1, length + mmap.PAGESIZE)
        whole: NDArray[np.uint8] = np.frombuffer(memory, np.uint8)
        maps.append(memory)
        assert libc.mprotect(ctypes.c_void_p(whole.ctypes.data + length), ctypes.c_size_t(mmap.PAGESIZE), 0) == 0
        end = whole[length - pixels.size : length].reshape(pixels.shape)
        end[:] = pixels
        return end

    yield copied
    maps.clear()


def test_no_byte_behind_the_pixels_is_read(at_the_edge: Callable[[Pixels], Pixels]) -> None:
    for columns in (512, 577, 1000):
        pixels = at_the_edge(np.ascontiguousarray(block(5, columns)))
        passes.profile(pixels)
        passes.white(pixels)
        passage = Passage(GEOMETRY, columns)
        passage.take(pixels, Roi(0, columns), 0)
        passage.take(pixels, Roi(0, columns), 0)
        make_strip(Crop(0, Roi(0, columns), pixels), StripRoom(GEOMETRY))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: passes.profile(np.zeros((6, 10), np.uint8)),
        lambda: passes.smooth(np.zeros(9), 2),
        lambda: passes.smooth(np.zeros(9, np.float32)[::2], 2),
        lambda: passes.edge(np.zeros(0, np.float32), 3, 128, 4, 10),
        lambda: passes.edge(np.zeros(99, np.float32), 3, 250, 4, 10),
        lambda: passes.edge(np.zeros(99, np.float32), 3, 128, 1, 10),
        lambda: passes.white(np.zeros((4, 4), np.uint16)),
        lambda: passes.white(np.zeros((4, 8), np.uint8)[:, ::2]),
        lambda: Resizing(GEOMETRY, 511),
        lambda: Resizing(GEOMETRY, 600).make(np.zeros((447, 600), np.uint8), strip_of()),
        lambda: Resizing(GEOMETRY, 600).make(np.zeros((448, 599), np.uint8), strip_of()),
        lambda: Resizing(GEOMETRY, 600).make(np.zeros((448, 600), np.uint8), strip_of()[:1]),
        lambda: Resizing(GEOMETRY, 600).make(np.zeros((448, 600), np.uint8), strip_of()[:, ::-1]),
    ],
)
def test_what_does_not_fit_is_refused_before_memory_is_touched(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        wrong()


def strip_of() -> Pixels:
    """Memory for a strip's patches."""
    return np.zeros((2, PATCH_PX, PATCH_PX), np.uint8)


# ---------------------------------------------------------------------- how they come about


def test_a_missing_library_is_told_at_the_start_with_the_command_that_builds_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(library, "__file__", str(tmp_path / "library.py"))
    library.library.cache_clear()
    try:
        with pytest.raises(ConfigError, match=re.escape("python -m station.flow.pixels.build")) as missing:
            make_classifier(settings())
        assert missing.value.code == "config.not_compiled"
        (tmp_path / build.LIBRARY).write_bytes(b"no library")
        with pytest.raises(ConfigError, match=re.escape(build.LIBRARY)):
            library.library()
    finally:
        library.library.cache_clear()


def test_a_library_of_other_sources_than_lie_beside_it_is_not_called(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as older:
        older.setattr(build, "sources_sha256", lambda: "0" * 64)
        build.build(tmp_path / build.LIBRARY)
    monkeypatch.setattr(library, "__file__", str(tmp_path / "library.py"))
    library.library.cache_clear()
    try:
        with pytest.raises(ConfigError, match="compiled from other sources") as stale:
            library.library()
        assert stale.value.code == "config.not_compiled"
    finally:
        library.library.cache_clear()


def test_no_compiler_warning_is_tolerated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CFLAGS", "-Werror -Wconversion -Wno-sign-conversion -Wshadow -Wvla")
    assert build.build(tmp_path / build.LIBRARY).stat().st_size > 5_000


def test_without_a_compiler_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert build.main(["--output", str(tmp_path / build.LIBRARY)]) == 1
    assert "no-such-compiler" in capsys.readouterr().err
    assert issubclass(compiler.CompilerError, Exception)
