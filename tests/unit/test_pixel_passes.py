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
from station.flow.pixels import build, library, passes, proofs
from station.flow.pixels.resizing import Resizing, compiled
from station.flow.pixels.sharing import shares
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


@pytest.mark.parametrize("columns", [2, 3, 257, 640])
def test_means_of_lines(columns: int) -> None:
    whole = block(3, columns, 5)
    before, pixels, grain = whole[0], whole[1:], min(columns, 257)
    wide = pixels.astype(np.int64)
    grey, grains, step = proofs.line_means(pixels, grain, before)
    assert grey.tolist() == (wide.sum(axis=1) / columns).tolist()
    assert grains.tolist() == (np.abs(np.diff(wide[:, :grain], axis=1)).sum(axis=1) / (grain - 1)).tolist()
    assert step.tolist() == (np.abs(np.diff(whole.astype(np.int64), axis=0)).sum(axis=1) / columns).tolist()
    assert proofs.line_means(pixels, grain, None)[2].tolist() == [step[1], *step[1:].tolist()]
    assert proofs.mean(pixels) == wide.sum() / pixels.size


@pytest.mark.parametrize(("lines", "window"), [(448, 18), (449, 18), (36, 18), (35, 18), (8, 1)])
def test_every_other_number_against_those_between(lines: int, window: int) -> None:
    change = np.random.default_rng(lines).normal(0, 1, lines)
    pairs = change[0 : lines // 2 * 2 : 2] - change[1::2]
    means, most = proofs.alternation(change, window)
    expected = [pairs[start : start + window].mean() for start in range(len(pairs) - window + 1)]
    assert means == pytest.approx(expected, abs=1e-12)
    assert most == max(map(abs, means), default=0)


def test_lines_that_change_less_than_their_neighbours_before_one_that_changes_more() -> None:
    change = np.random.default_rng(4).normal(0, 0.1, 448)
    copies = [1, 3, 200, 320, 446]
    change[copies] -= 2
    change[[copy + 1 for copy in copies]] += 1
    assert proofs.dips(change, 1.2, 0.4) == len(copies)
    assert proofs.dips(change, 1.2, 1.4) == 0, "the next one does not change so much more"
    assert proofs.dips(change, 2.6, 0.4) == 0, "none changes so much less"
    assert proofs.dips(change[:1], 1.2, 0.4) == 0
    two = np.array([0, 0, 0, -2, 1, -2, 0, 0.0])
    assert proofs.dips(two, 1, 0.5) == 1, "of the second, two neighbours change as little or more than the next"


@pytest.mark.parametrize(("columns", "every", "pairs"), [(385, 2, 128), (1065, 8, 128), (60, 1, 52)])
@pytest.mark.parametrize("lines_per_row", [1, 4, 7])
def test_texture_is_the_difference_of_pairs_of_columns(
    columns: int, every: int, pairs: int, lines_per_row: int
) -> None:
    pixels = block(4, columns, 9)
    marks = pixels[:, : pairs * every : every].astype(np.int64)[:, :pairs] - pixels[:, 8::every][:, :pairs]
    rows, changes = proofs.texture(pixels, lines_per_row, every, 8, pairs)
    assert rows.tolist() == marks.reshape(-1, lines_per_row, pairs).sum(axis=1).tolist()
    squares = np.square(np.diff(marks, axis=0)).sum(axis=1)
    expected = np.array([*squares, squares[-1]]).reshape(-1, lines_per_row).mean(axis=1) / pairs
    assert changes == pytest.approx(expected, rel=1e-6)


def test_the_ratio_of_a_change_of_rows_to_the_noise_of_lines() -> None:
    rng = np.random.default_rng(8)
    rows, changes = rng.integers(-900, 900, (40, 100)).astype(np.float32), rng.uniform(1, 9, 40).astype(np.float32)
    ratios = proofs.stillness(rows, changes, 4, 3, 5, 0.5)
    squares = np.square(rows[3:] - rows[:-3]).mean(axis=1) / 4
    expected = [
        (squares[at : at + 5].mean() + 0.5) / (changes[at : at + 7].mean() + 0.5) for at in range(len(rows) - 7)
    ]
    assert ratios == pytest.approx(expected, rel=1e-5)
    assert len(proofs.stillness(rows[:7], changes[:7], 4, 3, 5, 0.5)) == 0


@pytest.mark.parametrize(("pairs", "every"), [(128, 2), (52, 1), (51, 2), (1, 1)])
def test_rows_are_normalised_to_whole_numbers(pairs: int, every: int) -> None:
    rows = np.random.default_rng(pairs).integers(-900, 900, (30, pairs)).astype(np.float32)
    made = np.full((30, proofs.FEATURES), 7, np.int16)
    proofs.normalise(rows, every, made)
    fine = rows[:, ::every] - rows[:, ::every].mean(axis=0)
    fine -= fine.mean(axis=1, keepdims=True)
    lengths = np.maximum(np.linalg.norm(fine, axis=1, keepdims=True), 1e-6)
    assert made[:, : fine.shape[1]] / proofs.UNIT == pytest.approx(fine / lengths, abs=1.01 / proofs.UNIT)
    assert not made[:, fine.shape[1] :].any()


def test_rows_that_have_nothing_of_their_own_are_like_no_others() -> None:
    made = np.full((30, proofs.FEATURES), 7, np.int16)
    proofs.normalise(np.full((30, 128), 300, np.float32), 2, made)
    assert not made.any()


@pytest.mark.parametrize("first", [0, 113, 784])
def test_the_earlier_window_that_a_window_looks_most_like(first: int) -> None:
    rows = np.zeros((first + 57, proofs.FEATURES), np.int16)
    marks = np.random.default_rng(first).normal(0, 90, (len(rows), 128)).round().astype(np.float32)
    proofs.normalise(marks, 2, rows)
    unit = rows.astype(np.float64) / proofs.UNIT
    later = unit[first::2]
    peaks, places = proofs.again(rows, first, 2, 9, 0.05)
    assert len(peaks) == len(later) - 3
    for window in range(0, len(peaks), 5):
        ends = range(first + 2 * window - 9 + 1)
        means = [np.mean([later[window + k] @ unit[at + 2 * k] for k in range(4)]) for at in ends]
        assert peaks[window] == pytest.approx(max([0.0, *means]), abs=1e-6)
        if peaks[window] > 0.05:
            assert means[places[window]] == pytest.approx(peaks[window], abs=1e-6)
        else:
            assert places[window] == 0


def test_the_same_row_is_as_like_as_can_be_and_does_not_overflow() -> None:
    rows = np.tile(np.eye(1, proofs.FEATURES, 5, np.int16) * proofs.UNIT, (40, 1))
    peaks, places = proofs.again(rows, 0, 2, 9, 1.0)
    assert set(peaks.tolist()) == {0.0, 1.0}
    assert set(places.tolist()) == {0}


@pytest.mark.parametrize("columns", [8, 369, 1559])
def test_narrow_marks_of_some_lines_against_others(columns: int) -> None:
    pixels = block(6, columns, 11)
    difference = pixels[440:448].mean(axis=0) - pixels[0:448:8].mean(axis=0)
    narrow = difference - cv2.blur(difference[np.newaxis], (15, 1), borderType=cv2.BORDER_REFLECT)[0]
    limit = 1.5 * np.abs(narrow).mean()
    narrow = narrow.clip(-limit, limit)
    marks = np.empty(columns, np.float32)
    proofs.narrow_marks(pixels, range(440, 448), range(0, 448, 8), 15, 1.5, marks)
    assert marks == pytest.approx(narrow / np.linalg.norm(narrow), abs=1e-4)


def test_lines_that_differ_by_nothing_have_no_marks() -> None:
    marks = np.ones(40, np.float32)
    proofs.narrow_marks(np.full((448, 40), 90, np.uint8), range(8), range(48), 15, 4.0, marks)
    assert marks.tolist() == [0.0] * 40


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
        proofs.line_means(pixels, 257, pixels[-1])
        proofs.mean(pixels)
        proofs.texture(pixels, 4, (columns - 9) // 127, 8, 128)
        proofs.narrow_marks(pixels, range(440, 448), range(7, 448, 8), 15, 4.0, np.empty(columns, np.float32))
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
        lambda: proofs.line_means(np.zeros((4, 8), np.uint8), 9, None),
        lambda: proofs.line_means(np.zeros((4, 8), np.uint8), 1, None),
        lambda: proofs.line_means(np.zeros((4, 8), np.uint8), 8, np.zeros(7, np.uint8)),
        lambda: proofs.alternation(np.zeros(8)[::2], 2),
        lambda: proofs.alternation(np.zeros(8), 0),
        lambda: proofs.dips(np.zeros(8, np.float32), 1, 1),
        lambda: proofs.texture(np.zeros((448, 134), np.uint8), 4, 1, 8, 127),
        lambda: proofs.texture(np.zeros((448, 500), np.uint8), 4, 1, 8, 129),
        lambda: proofs.texture(np.zeros((447, 500), np.uint8), 4, 1, 8, 100),
        lambda: proofs.texture(np.zeros((448, 500), np.uint8), 0, 1, 8, 100),
        lambda: proofs.stillness(np.zeros((8, 9), np.float32), np.zeros(7, np.float32), 4, 4, 4, 1),
        lambda: proofs.stillness(np.zeros((8, 9), np.float32)[:, ::2], np.zeros(8, np.float32), 4, 4, 4, 1),
        lambda: proofs.stillness(np.zeros((8, 9), np.float32), np.zeros(8, np.float32), 4, 0, 4, 1),
        lambda: proofs.normalise(np.zeros((8, 128), np.float32), 1, np.zeros((8, 64), np.int16)),
        lambda: proofs.normalise(np.zeros((8, 128), np.float32), 2, np.zeros((7, 64), np.int16)),
        lambda: proofs.normalise(np.zeros((8, 128)), 2, np.zeros((8, 64), np.int16)),
        lambda: proofs.again(np.zeros((9, 63), np.int16), 0, 2, 9, 0.3),
        lambda: proofs.again(np.zeros((9, 64), np.int16), 3, 2, 9, 0.3),
        lambda: proofs.again(np.zeros((9, 64), np.int16), 9, 2, 9, 0.3),
        lambda: proofs.again(np.zeros((9, 64), np.int16), 0, 2, 0, 0.3),
        lambda: proofs.again(np.zeros((9, 64), np.int16), 0, 2, 9, 0.0),
        lambda: proofs.narrow_marks(np.zeros((48, 40), np.uint8), range(41, 49), range(48), 15, 4.0, marks_of(40)),
        lambda: proofs.narrow_marks(np.zeros((48, 40), np.uint8), range(8), range(-1, 8), 15, 4.0, marks_of(40)),
        lambda: proofs.narrow_marks(np.zeros((48, 7), np.uint8), range(8), range(48), 15, 4.0, marks_of(7)),
        lambda: proofs.narrow_marks(np.zeros((48, 40), np.uint8), range(8), range(48), 15, 4.0, marks_of(39)),
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


def marks_of(columns: int) -> NDArray[np.float32]:
    """Memory for marks."""
    return np.zeros(columns, np.float32)


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
