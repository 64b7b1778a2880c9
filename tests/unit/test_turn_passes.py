"""The compiled pass for the proofs of a turn measures block by block what numpy measures of the whole turn."""

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from station.core.compiler import find_compiler
from station.core.part import Pixels, Roi
from station.flow.pixels.build import SOURCES
from station.flow.pixels.joints import Joints, narrow_marks
from station.flow.pixels.lines import Copies, Lines, Turn
from station.flow.pixels.proofs import Proofs, View
from station.flow.pixels.rows import UNIT, WHOLE, WINDOW, Repeats, Stillness, Texture

LEFT, BESIDE = 13, 5
LEAST = 1e-6
SCATTER = 1.4826


def noise(lines: int, columns: int, seed: int = 0) -> Pixels:
    """Pixels of every value, with black and white among them."""
    return np.random.default_rng(seed).integers(-20, 276, (lines, columns), np.int16).clip(0, 255).astype(np.uint8)


def proofs_of(
    turn: Turn,
    texture: Texture | None = None,
    lines: Lines | None = None,
    copies: Copies | None = None,
    stillness: Stillness | None = None,
    repeats: Repeats | None = None,
    joints: Joints | None = None,
) -> Proofs:
    """What is not looked at in a test is measured somehow."""
    texture = texture or Texture(turn, 1, 1, 1, 1)
    return Proofs(
        turn,
        lines or Lines(turn, 0, turn.columns, turn.columns, 1),
        copies or Copies(turn, 3, 3.0, 1.0, SCATTER, LEAST),
        texture,
        stillness or Stillness(texture, 1, 1, 0.02),
        repeats or Repeats(texture, 1, texture.pairs, 1, 1, 0.3),
        joints or Joints(turn, 1, 1, 1, 1, 1, 1, 4.0),
    )


def taken(proofs: Proofs, image: Pixels, after: Callable[[int], None] | None = None) -> Proofs:
    """All blocks of a turn, between two columns of background, each told when it was taken."""
    turn = proofs.turn
    sensor = np.zeros((len(image), LEFT + turn.columns + BESIDE), np.uint8)
    sensor[:, LEFT : LEFT + turn.columns] = image
    for block in range(turn.blocks):
        proofs.take(sensor[block * turn.lines :][: turn.lines], Roi(LEFT, LEFT + turn.columns), LEFT)
        if after:
            after(block)
    return proofs


@pytest.mark.parametrize(("columns", "middle", "seen", "grain"), [(9, 0, 9, 9), (9, 3, 2, 2), (700, 30, 640, 257)])
def test_means_of_lines(columns: int, middle: int, seen: int, grain: int) -> None:
    turn, image = Turn(50, columns, 3), noise(150, columns)
    lines = Lines(turn, middle, seen, grain, 7)
    wide = image[:, middle : middle + seen].astype(np.int64)
    grey, step = wide.sum(axis=1) / seen, np.abs(np.diff(wide, axis=0)).sum(axis=1) / seen
    step = np.concatenate([step[:1], step])
    grains = np.abs(np.diff(wide[:, :grain], axis=1)).sum(axis=1) / (grain - 1)

    def compare(block: int) -> None:
        now = slice(50 * block, 50 * (block + 1))
        assert lines.grey.tolist() == grey[now].tolist()
        assert lines.grain.tolist() == grains[now].tolist()
        assert lines.step.tolist() == step[now].tolist()
        assert (lines.darkest, lines.smoothest, lines.roughest) == (
            grey[now].min(), grains[now].min(), grains[now].max(),
        )  # fmt: skip

    taken(proofs_of(turn, lines=lines), image, compare)


@pytest.mark.parametrize("roi", [Roi(30, 100), Roi(0, 100), Roi(30, 120), Roi(0, 120)])
def test_the_background_is_the_darker_side_beside_the_part(roi: Roi) -> None:
    sensor = noise(50, 120)
    turn = Turn(50, 40, 1)
    lines = Lines(turn, 0, 40, 40, 7)
    proofs_of(turn, lines=lines).take(sensor, roi, 35)
    sides = [side.mean() for side in (sensor[::7, : roi.left], sensor[::7, roi.right :]) if side.size]
    assert lines.background == min(sides, default=0.0)


def steps(turn: Turn, image: Pixels) -> list[NDArray[np.float64]]:
    """The logarithms of the changes from line to line, block by block."""
    step = np.abs(np.diff(image.astype(np.int64), axis=0)).mean(axis=1)
    return np.split(np.log(np.maximum(np.concatenate([step[:1], step]), LEAST)), turn.blocks)


@pytest.mark.parametrize(("lines", "blocks", "pairs"), [(64, 4, 18), (63, 4, 18), (17, 9, 18), (8, 1, 1), (20, 1, 18)])
def test_how_much_more_even_lines_change_than_odd_ones(lines: int, blocks: int, pairs: int) -> None:
    turn, image = Turn(lines, 30, blocks), noise(lines * blocks, 30)
    copies = taken(proofs_of(turn, copies=Copies(turn, pairs, 3, 1, SCATTER, LEAST)), image).copies
    change = np.concatenate(steps(turn, image))
    whole = len(change) // 2 * 2
    beyond = change[:whole:2] - change[1:whole:2]
    expected = [beyond[start : start + pairs].mean() for start in range(len(beyond) - pairs + 1)]
    assert copies.means[: copies.counted] == pytest.approx(expected, abs=1e-12)
    assert copies.most == pytest.approx(max(map(abs, expected), default=0), abs=1e-12)


@pytest.mark.parametrize("lines", [64, 63, 2])
def test_by_how_much_changes_scatter_by_chance(lines: int) -> None:
    turn, image = Turn(lines, 30, 3), noise(3 * lines, 30)
    copies = taken(proofs_of(turn, copies=Copies(turn, 1, 3, 1, SCATTER, LEAST)), image).copies
    assert copies.chances[:2] == pytest.approx(
        [
            chance_of(without(own, usual_of(own, block * lines), block * lines))
            for block, own in enumerate(steps(turn, image)[:2])
        ]
    )


def usual_of(change: NDArray[np.float64], first: int) -> tuple[float, float]:
    """What the turn's even and its odd lines usually do in a block that begins with line `first`."""
    halves = (np.sort(change[(first + odd) % 2 :: 2]) for odd in range(2))
    even, odd = (float(half[len(half) // 2]) for half in halves)
    return even, odd


def without(change: NDArray[np.float64], usual: tuple[float, float], first: int) -> NDArray[np.float64]:
    own = change.copy()
    for odd in range(2):
        own[(first + odd) % 2 :: 2] -= usual[odd]
    return own


def chance_of(own: NDArray[np.float64]) -> float:
    around = np.sort(np.abs(np.diff(own)))
    return max(SCATTER * float(around[len(around) // 2]) / np.sqrt(2), LEAST)


def test_lines_that_change_less_than_their_neighbours_before_one_that_changes_more() -> None:
    turn, image = Turn(100, 400, 3), noise(300, 400)
    for line in (50, 97, 130, 220):  # copies under a little noise, each before a line of another surface
        image[line] = image[line - 1] ^ 1
        image[line + 1] = 255 - image[line]
    assert scattered(turn, image, 3, 1) == 4
    assert scattered(turn, image, 1e3, 1) == 0, "none changes so much less"
    assert scattered(turn, image, 3, 1e3) == 0, "the next one does not change so much more"


@pytest.mark.parametrize("seed", range(20))
def test_scattered_copies_are_counted_as_numpy_does_whatever_lies_near_them(seed: int) -> None:
    turn, image = Turn(31, 40, 3), noise(93, 40, seed)
    for line in np.random.default_rng(seed).integers(1, 92, 12):
        image[line] = image[line - 1] ^ 1
        image[line + 1] = 255 - image[line]
    expected, usual, chance = 0, (0.0, 0.0), 0.0
    for block, change in enumerate(steps(turn, image)):
        if block < 2:  # the last one is held against the one before
            usual = usual_of(change, block * 31)
        own = without(change, usual, block * 31)
        chance = chance_of(own) if block < 2 else chance
        expected += dips(own, 2 * chance, chance)
    assert expected > 0
    assert scattered(turn, image, 2, 1) == expected


def test_lines_that_do_not_change_at_all_are_counted() -> None:
    turn, image = Turn(50, 40, 2), noise(100, 40)
    for line in (3, 50, 99):
        image[line] = image[line - 1]
    assert taken(proofs_of(turn), image).copies.equal == 3


def scattered(turn: Turn, image: Pixels, fallen: float, risen: float) -> int:
    once = Turn(turn.lines, turn.columns, turn.blocks)
    return taken(proofs_of(once, copies=Copies(once, 3, fallen, risen, SCATTER, LEAST)), image).copies.scattered


def dips(change: NDArray[np.float64], fallen: float, risen: float) -> int:
    """Lines that change less than all but one of five near them, before one that changes more than all but two."""
    count, padded = 0, np.pad(change, 3, mode="edge")
    for line in range(len(change) - 1):
        near = np.sort(padded[line + 3 + np.array([-3, -2, -1, 2, 3])])
        deep = change[line + 1] - change[line] > fallen + risen
        count += deep and change[line] < near[1] - fallen and change[line + 1] > near[2] + risen
    return count


@pytest.mark.parametrize(("columns", "every", "pairs"), [(385, 2, 128), (1065, 8, 128), (60, 1, 52), (9, 1, 1)])
@pytest.mark.parametrize("lines_per_row", [1, 4, 7])
def test_texture_is_the_difference_of_pairs_of_columns(
    columns: int, every: int, pairs: int, lines_per_row: int
) -> None:
    turn, image = Turn(58, columns, 2), noise(116, columns)
    texture = taken(proofs_of(turn, Texture(turn, lines_per_row, pairs, every, 8)), image).texture
    rows, changes = texture_of(turn, image, lines_per_row, every, pairs)
    assert texture.rows.tolist() == rows.tolist()
    assert texture.changes == pytest.approx(changes, rel=1e-6)


def texture_of(
    turn: Turn, image: Pixels, lines_per_row: int, every: int, pairs: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows and changes of a turn, each block's by itself."""
    rows, changes = [], []
    for block in np.split(image.astype(np.int64), turn.blocks):
        whole = block[: len(block) // lines_per_row * lines_per_row]
        marks = whole[:, : pairs * every : every][:, :pairs] - whole[:, 8::every][:, :pairs]
        rows.append(marks.reshape(-1, lines_per_row, pairs).sum(axis=1))
        squares = np.square(np.diff(marks, axis=0)).sum(axis=1)
        changes.append(np.array([*squares, squares[-1]]).reshape(-1, lines_per_row).mean(axis=1) / pairs)
    return np.concatenate(rows), np.concatenate(changes)


@pytest.mark.parametrize(("lines", "blocks"), [(40, 5), (8, 7), (4, 12), (100, 1)])
def test_the_ratio_of_a_change_of_rows_to_the_noise_of_lines(lines: int, blocks: int) -> None:
    turn, image = Turn(lines, 60, blocks), noise(lines * blocks, 60)
    texture = Texture(turn, 4, 52, 1, 8)
    stillness = taken(proofs_of(turn, texture, stillness=Stillness(texture, 3, 5, 0.5)), image).stillness
    rows, changes = texture.rows.astype(np.float64), texture.changes.astype(np.float64)
    squares = np.square(rows[3:] - rows[:-3]).mean(axis=1) / 4
    expected = [
        (squares[at : at + 5].mean() + 0.5) / (changes[at : at + 7].mean() + 0.5) for at in range(len(rows) - 7)
    ]
    assert stillness.ratios[: len(expected)] == pytest.approx(expected, rel=1e-5)
    assert stillness.least == pytest.approx(min(expected), rel=1e-5)


@pytest.mark.parametrize(("columns", "pairs", "every"), [(137, 128, 2), (60, 52, 1), (60, 51, 2), (9, 1, 1)])
def test_rows_are_normalised_to_whole_numbers(columns: int, pairs: int, every: int) -> None:
    turn, image = Turn(30, columns, 2), noise(60, columns)
    texture = Texture(turn, 2, pairs, 1, 8)
    made = taken(proofs_of(turn, texture, repeats=Repeats(texture, 15, every, 2, 9, 0.3)), image).repeats.features
    for block in (slice(15), slice(15, 30)):
        fine = texture.rows[block, ::every] - texture.rows[block, ::every].mean(axis=0)
        fine -= fine.mean(axis=1, keepdims=True)
        lengths = np.maximum(np.linalg.norm(fine, axis=1, keepdims=True), 1e-6)
        assert made[block, : fine.shape[1]] / UNIT == pytest.approx(fine / lengths, abs=1.01 / UNIT)
        assert not made[block, fine.shape[1] :].any()


@pytest.mark.parametrize(("lines", "at_once"), [(57, 57), (20, 57), (114, 1)])
def test_the_earlier_window_that_a_window_looks_most_like(lines: int, at_once: int) -> None:
    turn = Turn(lines, 137, 4)
    texture = Texture(turn, 1, 128, 1, 8)
    repeats = Repeats(texture, at_once, 2, 2, 9, 0.05)
    looked_at = []

    def compare(block: int) -> None:
        looked_at.append(repeats.windows)
        unit = repeats.features[: lines * (block + 1)].astype(np.float64) / UNIT
        for window in range(0, repeats.windows, 5):
            later = repeats.first + 2 * window
            ends = range(later - 9 + 1)
            means = [np.mean([unit[later + 2 * k] @ unit[at + 2 * k] for k in range(WINDOW)]) for at in ends]
            peak = repeats.peaks[window] / WHOLE
            assert peak == pytest.approx(max([0.0, *means]), abs=1e-6)
            if repeats.peaks[window] >= repeats.least:
                assert means[repeats.places[window]] == pytest.approx(peak, abs=1e-6)
            else:
                assert repeats.places[window] == 0
        assert repeats.highest == max(repeats.peaks[: repeats.windows], default=0)

    taken(proofs_of(turn, texture, repeats=repeats), noise(4 * lines, 137), compare)
    waiting, expected = 0, []
    for block in range(4):
        waiting += lines
        due = waiting >= at_once or block == 3
        expected.append((waiting - 1) // 2 + 2 - WINDOW if due else 0)
        waiting = 0 if due else waiting
    assert looked_at == expected


def test_the_same_rows_are_as_like_as_can_be_and_do_not_overflow() -> None:
    turn = Turn(80, 10, 1)
    image = np.zeros((80, 10), np.uint8)
    image[:, 0] = np.tile(noise(20, 1, 3), (4, 1))[:, 0]
    texture = Texture(turn, 1, 2, 1, 8)
    repeats = taken(proofs_of(turn, texture, repeats=Repeats(texture, 1, 1, 2, 9, 0.9)), image).repeats
    assert repeats.highest == pytest.approx(WHOLE, rel=1e-3)
    assert repeats.peaks[10] >= repeats.least, "its rows are those of twenty lines before"


def test_rows_that_have_nothing_of_their_own_are_like_no_others() -> None:
    turn = Turn(80, 137, 1)
    texture = Texture(turn, 1, 128, 1, 8)
    image = np.tile(noise(1, 137), (80, 1))
    repeats = taken(proofs_of(turn, texture, repeats=Repeats(texture, 1, 2, 2, 9, 0.3)), image).repeats
    assert not repeats.features.any()
    assert repeats.highest == 0


@pytest.mark.parametrize(("columns", "lines", "per_block"), [(8, 448, 1), (369, 100, 1), (1559, 300, 2), (30, 99, 4)])
def test_marks_at_both_ends_of_each_stretch(columns: int, lines: int, per_block: int) -> None:
    turn, image = Turn(lines, columns, 3), noise(3 * lines, columns)
    wide = min(15, 2 * columns - 1)
    joints = Joints(turn, per_block, 8, 2, 24, 56, wide, 4.0)
    taken(proofs_of(turn, joints=joints), image)
    stretches = [
        block[lines * number // per_block : lines * (number + 1) // per_block]
        for block in np.split(image, 3)
        for number in range(per_block)
    ]
    for number, stretch in enumerate(stretches):
        profile = stretch[:: max(1, len(stretch) // 56)]
        assert joints.tails[number, 0] == pytest.approx(narrow(stretch[-8:], profile, wide), abs=1e-4)
        assert joints.tails[number, 1] == pytest.approx(narrow(stretch[-2:], stretch[-24:], wide), abs=1e-4)
        if number < len(stretches) - 1:
            assert joints.heads[number, 0] == pytest.approx(narrow(stretch[:8], profile, wide), abs=1e-4)
            assert joints.heads[number, 1] == pytest.approx(narrow(stretch[:2], stretch[:24], wide), abs=1e-4)


@pytest.mark.parametrize("per_block", [1, 3])
def test_how_alike_lines_are_at_the_joints_inside_the_turn_and_elsewhere(per_block: int) -> None:
    turn, image = Turn(90, 77, 4), noise(360, 77)
    joints = taken(proofs_of(turn, joints=Joints(turn, per_block, 8, 2, 24, 56, 15, 4.0)), image).joints
    inside = 4 * per_block - 1  # the last stretch has no head, and its tail is kept for the turn's own seam
    for kind in range(2):
        assert joints.ends[kind] == pytest.approx(float(joints.tails[-1, kind] @ joints.heads[0, kind]), abs=1e-5)
        pairs = joints.tails[:inside, kind].astype(np.float64) @ joints.heads[:inside, kind].T
        ahead = np.arange(inside) - np.arange(inside)[:, np.newaxis]
        assert joints.meeting[kind] == pytest.approx(pairs[ahead == 1].sum(), abs=1e-5)
        assert joints.apart[kind] == pytest.approx(np.square(pairs[(ahead != 0) & (ahead != 1)]).sum(), abs=1e-5)


def narrow(some: Pixels, others: Pixels, wide: int, clip: float = 4.0) -> NDArray[np.float64]:
    """What is narrow in the mean of some lines against that of others, of length 1."""
    difference = some.mean(axis=0) - others.mean(axis=0)
    marks = difference - np.convolve(np.pad(difference, wide // 2, "symmetric"), np.full(wide, 1 / wide), "valid")
    limit = clip * np.abs(marks).mean()
    marks = marks.clip(-limit, limit)
    return np.asarray(marks / max(float(np.linalg.norm(marks)), 1e-6))


@pytest.mark.parametrize("columns", [8, 369, 1559])
def test_narrow_marks_of_some_lines_against_others(columns: int) -> None:
    pixels = noise(448, columns + 11)[:, 11:]
    difference = pixels[440:448].mean(axis=0) - pixels[0:448:8].mean(axis=0)
    marks = difference - cv2.blur(difference[np.newaxis], (15, 1), borderType=cv2.BORDER_REFLECT)[0]
    limit = 1.5 * np.abs(marks).mean()
    marks = marks.clip(-limit, limit)
    made = np.empty(columns, np.float32)
    narrow_marks(pixels, range(440, 448), range(0, 448, 8), 15, 1.5, made)
    assert made == pytest.approx(marks / np.linalg.norm(marks), abs=1e-4)


def test_lines_of_white_do_not_overflow() -> None:
    pixels = np.zeros((1200, 40), np.uint8)
    pixels[:600, 7] = 255
    made = np.empty(40, np.float32)
    narrow_marks(pixels, range(600), range(600, 1200), 15, 100.0, made)
    assert made == pytest.approx(narrow(pixels[:600], pixels[600:], 15, 100.0), abs=1e-6)


def test_lines_that_differ_by_nothing_have_no_marks() -> None:
    made = np.ones(40, np.float32)
    narrow_marks(np.full((448, 40), 90, np.uint8), range(8), range(48), 15, 4.0, made)
    assert made.tolist() == [0.0] * 40


# ---------------------------------------------------------------------- the memory


LAYOUT = """
#include "turn.h"
#include <stdio.h>
int main(void)
{
%s    return 0;
}
"""
STRUCTURES = {
    "view": View, "turn": Turn, "lines": Lines, "copies": Copies,
    "texture": Texture, "stillness": Stillness, "repeats": Repeats, "joints": Joints,
}  # fmt: skip


def test_the_structures_are_those_of_the_passes_field_by_field(tmp_path: Path) -> None:
    said, expected = [], []
    for name, structure in STRUCTURES.items():
        said.append(f'    printf("{name} %zu\\n", sizeof(struct {name}));\n')
        expected.append(f"{name} {ctypes.sizeof(structure)}")
        for field in (first for first, _kind in structure._fields_):
            plain, one = field.removesuffix("_at"), getattr(structure, field)
            at = f"offsetof(struct {name}, {plain}), sizeof(((struct {name} *)0)->{plain})"
            said.append(f'    printf("{name}.{field} %zu %zu\\n", {at});\n')
            expected.append(f"{name}.{field} {one.offset} {one.size}")
    source, program = tmp_path / "layout.c", tmp_path / "layout"
    source.write_text(LAYOUT % "".join(said))
    subprocess.run([*find_compiler(), "-std=c11", f"-I{SOURCES}", str(source), "-o", str(program)], check=True)
    told = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == expected


TURN = Turn(48, 40, 2)
TEXTURE = Texture(TURN, 4, 30, 1, 8)


WHOLE_PART = Roi(0, 40)


def took(pixels: Pixels, roi: Roi = WHOLE_PART, first: int = 0) -> None:
    """A block of a turn that has blocks of 48 lines and 40 columns."""
    turn = Turn(48, 40, 1)
    proofs_of(turn).take(pixels, roi, first)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Turn(1, 40, 8),
        lambda: Turn(48, 0, 8),
        lambda: Turn(48, 40, 0),
        lambda: Lines(TURN, 1, 40, 40, 1),
        lambda: Lines(TURN, -1, 40, 40, 1),
        lambda: Lines(TURN, 0, 8, 9, 1),
        lambda: Lines(TURN, 0, 8, 1, 1),
        lambda: Lines(TURN, 0, 8, 8, 0),
        lambda: Copies(TURN, 0, 3, 1, SCATTER, LEAST),
        lambda: Texture(TURN, 4, 33, 1, 8),
        lambda: Texture(Turn(48, 500, 1), 4, 129, 1, 8),
        lambda: Texture(TURN, 4, 0, 1, 8),
        lambda: Texture(TURN, 4, 30, 0, 8),
        lambda: Texture(TURN, 0, 30, 1, 8),
        lambda: Texture(TURN, 49, 30, 1, 8),
        lambda: Stillness(TEXTURE, 0, 4, 1.0),
        lambda: Stillness(TEXTURE, 4, 0, 1.0),
        lambda: Repeats(Texture(Turn(48, 137, 1), 4, 128, 1, 8), 1, 1, 2, 9, 0.3),
        lambda: Repeats(TEXTURE, 1, 0, 2, 9, 0.3),
        lambda: Repeats(TEXTURE, 1, 2, 0, 9, 0.3),
        lambda: Repeats(TEXTURE, 1, 2, 2, 0, 0.3),
        lambda: Repeats(TEXTURE, 1, 2, 2, 9, 0.0),
        lambda: Joints(TURN, 2, 8, 2, 25, 56, 15, 4.0),
        lambda: Joints(TURN, 1, 0, 2, 24, 56, 15, 4.0),
        lambda: Joints(TURN, 0, 8, 2, 24, 56, 15, 4.0),
        lambda: Joints(TURN, 1, 8, 2, 24, 56, 14, 4.0),
        lambda: Joints(TURN, 1, 8, 2, 24, 56, 81, 4.0),
        lambda: took(np.zeros((47, 40), np.uint8)),
        lambda: took(np.zeros((48, 40), np.uint16)),
        lambda: took(np.zeros((48, 80), np.uint8)[:, ::2]),
        lambda: took(np.zeros((48, 39), np.uint8)),
        lambda: took(np.zeros((48, 50), np.uint8), Roi(0, 41), 2),
        lambda: took(np.zeros((48, 50), np.uint8), Roi(3, 48), 2),
        lambda: narrow_marks(np.zeros((48, 40), np.uint8), range(41, 49), range(48), 15, 4.0, room(40)),
        lambda: narrow_marks(np.zeros((48, 40), np.uint8), range(8), range(-1, 8), 15, 4.0, room(40)),
        lambda: narrow_marks(np.zeros((48, 7), np.uint8), range(8), range(48), 15, 4.0, room(7)),
        lambda: narrow_marks(np.zeros((48, 40), np.uint8), range(8), range(48), 15, 4.0, room(39)),
    ],
)
def test_what_does_not_fit_is_refused_before_memory_is_touched(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        wrong()


def room(columns: int) -> NDArray[np.float32]:
    """Memory for marks."""
    return np.zeros(columns, np.float32)


def test_a_turn_has_no_more_blocks_than_it_was_made_for() -> None:
    proofs = taken(proofs_of(Turn(48, 40, 2)), noise(96, 40))
    with pytest.raises(ValueError, match="block 2"):
        proofs.take(noise(48, 40), Roi(0, 40), 0)
