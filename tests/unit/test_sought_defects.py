"""Which defect was found: its own pixels among others of its class, the patches that show it, and what counts."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.dataset.patches import label_patches
from models.dataset.scans import LabelledScan, marks_of
from models.evaluation.measuring.defects import (
    DefectTruth,
    Scale,
    SoughtDefect,
    detect,
    longer_side_mm,
    own_pixels,
    read_defects,
    seek,
    showing_patches,
)
from models.evaluation.measuring.parts import JudgedPart, Rule, decide_part
from models.evaluation.measuring.pointing import Played, play_part, point, sum_up
from station.core.errors import RecordingError
from station.core.part import Pixels
from tests.unit.housings import CLASSES, GEOMETRY, LINES, MEANING, TABLE, Surface

LEFT, RIGHT = 20, 276
PITS, ROLL_MARKS, SCRATCHES = Surface.PITS, Surface.ROLL_MARKS, Surface.SCRATCHES


SCALE = Scale(0.0155, {"thick": 0.028})


def defect(surface: str, line: int, column: int) -> DefectTruth:
    return DefectTruth(surface=surface, line=line, column=column, contrast=0.3)


def scan_in(folder: Path, part_type: str | None = "thick") -> LabelledScan:
    files = (folder / "p.png", folder / "m.png")
    return LabelledScan("P", PITS.verdict, *files, LEFT, RIGHT, marks_of(TABLE), LINES, part_type)


def mask_with(*spots: tuple[int, int, Surface], size: int = 20) -> Pixels:
    mask = np.zeros((3584, 296), np.uint8)
    for line, column, surface in spots:
        rows = np.arange(line - size // 2, line + size // 2) % 3584
        mask[np.ix_(rows, range(LEFT + column - size // 2, LEFT + column + size // 2))] = surface.number
    return mask


def judged(folder: Path, mask: Pixels, **called: int) -> JudgedPart:
    """A part whose patches `pN` are called a class; all others are surely defect-free."""
    cv2.imwrite(str(folder / "m.png"), mask)
    cv2.imwrite(str(folder / "p.png"), np.full(mask.shape, 120, np.uint8))
    rows = np.zeros((16, 5), np.float32)
    rows[:, 0] = 1
    for name, surface in called.items():
        rows[int(name[1:])] = np.eye(5)[surface]
    labels = np.zeros(16, np.int8)
    labels[[int(name[1:]) for name in called]] = list(called.values())
    return decide_part(scan_in(folder), labels, rows, MEANING, 0.5)


def sought_in(part: JudgedPart, defects: list[DefectTruth]) -> list[SoughtDefect]:
    return seek(part, defects, GEOMETRY, SCALE)


def test_two_defects_of_a_class_on_one_part_are_told_apart_by_their_place(tmp_path: Path) -> None:
    mask = mask_with((200, 60, PITS), (2000, 60, PITS), (1000, 200, SCRATCHES))
    defects = [defect("pits", 200, 60), defect("pits", 2000, 60), defect("scratches", 1000, 200)]
    part = judged(tmp_path, mask, p8=2)
    assert [one.found for one in sought_in(part, defects)] == [False, True, False]
    assert [one.surface for one in sought_in(part, defects)] == [PITS, PITS, SCRATCHES]


def test_a_defect_across_the_start_of_the_turn_keeps_both_its_ends() -> None:
    mask = mask_with((3583, 60, PITS), (1800, 60, PITS))
    defects = [defect("pits", 3583, 60), defect("pits", 1800, 60)]
    assert own_pixels(mask, scan_in(Path()), defects, 0).sum() == 400
    assert own_pixels(mask, scan_in(Path()), defects, 0)[:20].any()
    assert own_pixels(mask, scan_in(Path()), defects, 0)[-20:].any()


def test_a_patch_with_a_sliver_of_a_defect_does_not_show_it_but_a_tiny_defect_is_shown_by_any() -> None:
    big = (mask_with((455, 60, PITS), size=40) > 0).astype(np.uint8)
    assert np.flatnonzero(showing_patches(big, LEFT, RIGHT, GEOMETRY)).tolist() == [0, 2]
    cut_off = (mask_with((446, 60, PITS), size=6) > 0).astype(np.uint8)
    assert np.flatnonzero(showing_patches(cut_off, LEFT, RIGHT, GEOMETRY)).tolist() == [0, 2]
    mostly_below = (mask_with((462, 60, PITS), size=40) > 0).astype(np.uint8)
    assert np.flatnonzero(showing_patches(mostly_below, LEFT, RIGHT, GEOMETRY)).tolist() == [2]


def test_each_print_of_a_roll_mark_is_shown_by_itself_as_in_a_data_set() -> None:
    prints = mask_with((200, 60, ROLL_MARKS), (1100, 60, ROLL_MARKS), (2000, 60, ROLL_MARKS), size=40)
    prints[2900:2912, LEFT + 54 : LEFT + 66] = ROLL_MARKS.number  # faint: over 40 px, under a fifth of all
    shown = np.flatnonzero(showing_patches((prints > 0).astype(np.uint8), LEFT, RIGHT, GEOMETRY))
    assert shown.tolist() == [0, 4, 8, 12]
    assert shown.tolist() == np.flatnonzero(label_patches(prints, LEFT, RIGHT, GEOMETRY) == ROLL_MARKS.number).tolist()


def test_any_class_of_defect_finds_it(tmp_path: Path) -> None:
    part = judged(tmp_path, mask_with((200, 60, PITS)), p0=4)
    (sought,) = sought_in(part, [defect("pits", 200, 60)])
    assert (sought.found, sought.size_mm, sought.contrast) == (True, pytest.approx(20 * 0.028), 0.3)


def test_a_refused_scan_a_part_of_unknown_type_and_a_defect_without_contrast_are_not_counted(tmp_path: Path) -> None:
    part = judged(tmp_path, mask_with((200, 60, PITS)), p0=2)
    for part_type in (None, "thin"):
        assert sought_in(replace(part, scan=scan_in(tmp_path, part_type)), [defect("pits", 200, 60)]) == []
    assert sought_in(part, [defect("pits", 200, 60).model_copy(update={"contrast": 0.0})]) == []
    nothing = np.zeros((0, len(CLASSES)), np.float32)
    refused = JudgedPart(part.scan, MEANING, part.labels, nothing, None, TABLE.review, "part.too_dark")
    assert sought_in(refused, [defect("pits", 200, 60)]) == []


@pytest.mark.parametrize(
    ("rows", "columns", "size_mm"),
    [(30, 20, 30 * 0.028), (20, 30, 20 * 0.028), (20, 40, 40 * 0.0155), (1, 1, 0.028)],
    ids=["long along the turn", "a line is longer than a column is wide", "long across", "one pixel"],
)
def test_a_length_along_the_turn_is_that_of_its_lines_and_across_that_of_its_columns(
    rows: int, columns: int, size_mm: float
) -> None:
    pixels = np.zeros((LINES, 296), np.uint8)
    top = 3584 - rows // 2  # across the start of the turn
    pixels[np.ix_(np.arange(top, top + rows) % LINES, range(100, 100 + columns))] = 1
    middle = defect("pits", 0, 100 + columns // 2 - LEFT)
    assert longer_side_mm(pixels, scan_in(Path()), middle, GEOMETRY, (0.028, 0.0155)) == pytest.approx(size_mm)


def test_the_size_of_a_roll_mark_is_that_of_the_print_that_is_named() -> None:
    prints = (mask_with((200, 60, ROLL_MARKS), (1100, 60, ROLL_MARKS), size=40) > 0).astype(np.uint8)
    prints[240:250, LEFT + 50 : LEFT + 60] = 1  # a second bar of the first print
    first, second = (defect("roll_marks", line, 60) for line in (200, 1100))
    mm = (0.02, 0.0155)
    assert longer_side_mm(prints, scan_in(Path()), first, GEOMETRY, mm) == pytest.approx(70 * 0.02)
    assert longer_side_mm(prints, scan_in(Path()), second, GEOMETRY, mm) == pytest.approx(40 * 0.02)


def test_a_curve_is_fitted_on_the_defects_that_are_usual_in_the_other_measure() -> None:
    factors = [(0.3, 1.0), (0.5, 1.05), (1.0, 0.2), (0.95, 0.4), (1.0, 1.0), (0.4, 0.3)]
    sought = [
        SoughtDefect("P", "pits", 0.8 * size, 0.2 * contrast, size, contrast, size * contrast > 0.35)
        for size, contrast in factors
    ]
    (found,) = detect(sought, CLASSES)
    assert [target.size for target in found.size.targets] == pytest.approx([0.24, 0.4, 0.8])
    assert [target.size for target in found.contrast.targets] == pytest.approx([0.04, 0.08, 0.2])
    assert found.size.explanation.startswith("3 of 6 defects are of usual contrast.")
    assert (found.usual_size_mm, found.usual_contrast) == pytest.approx((0.8, 0.2))
    assert (found.both.defects, len(found.sought)) == (6, 6)


def test_the_usual_contrast_is_that_of_defects_of_usual_size_for_thin_ones_are_paler() -> None:
    factors = [(0.2, 0.1), (0.3, 0.15), (0.25, 0.12), (1.0, 0.3)]
    seen = [SoughtDefect("P", "scratches", 2 * size, contrast, size, 1.0, True) for size, contrast in factors]
    (found,) = detect(seen, CLASSES)
    assert found.usual_contrast == pytest.approx(0.3)


def test_a_truth_without_multipliers_is_taken_as_it_came(tmp_path: Path) -> None:
    part = judged(tmp_path, mask_with((200, 60, PITS)), p0=2)
    (found,) = detect(sought_in(part, [defect("pits", 200, 60)]), CLASSES)
    assert (len(found.size.targets), len(found.contrast.targets)) == (1, 1)


def test_classes_are_fitted_apart(tmp_path: Path) -> None:
    mask = mask_with((200, 60, PITS), (1000, 200, SCRATCHES))
    part = judged(tmp_path, mask, p0=2)
    found = detect(sought_in(part, [defect("pits", 200, 60), defect("scratches", 1000, 200)]), CLASSES)
    assert [each.defect for each in found] == ["pits", "scratches"]
    assert [each.size.ending for each in found] == ["all found", "none found"]


def test_truth_without_sizes_is_read_and_an_unusable_line_is_named(tmp_path: Path) -> None:
    assert read_defects(tmp_path) == {}
    line = {"file": "a.png", "mask": "m", "left": 1, "right": 2, "defects": [{"class": "pits", "line": 1, "column": 2}]}
    (tmp_path / "truth.jsonl").write_text(json.dumps(line) + "\n")
    assert read_defects(tmp_path)["a.png"][0].contrast is None
    (tmp_path / "truth.jsonl").write_text('{"file": "a.png", "defects": [{"line": 1}]}\n')
    with pytest.raises(RecordingError, match=r"truth\.jsonl:1"):
        read_defects(tmp_path)


def test_the_pointing_game_hits_where_the_evidence_peaks_on_the_defect(tmp_path: Path) -> None:
    def at(row: int, column: int) -> np.ndarray:
        evidence = np.zeros((256, 256), np.float32)
        evidence[row, column] = 1
        return evidence

    mask = np.zeros((256, 256), np.uint8)
    mask[100:120, 50:70] = 1
    assert point(at(110, 60), mask, "pits").hit
    assert point(at(126, 60), mask, "pits").hit
    assert not point(at(140, 60), mask, "pits").hit
    assert point(at(0, 0), mask, "pits").by_chance == pytest.approx(36 * 36 / 256**2, rel=0.1)
    part = judged(tmp_path, mask_with((200, 60, PITS)), p0=2)
    rule = Rule(MEANING, GEOMETRY, 0.5, lambda _image, _scan: np.zeros((16, 256, 256), np.uint8))
    hit = play_part(part, rule, lambda _patch, _class: at(114, 120))
    assert [(game.name, game.hit) for game in hit] == [("pits", True)]


def test_the_game_is_summed_up_by_class() -> None:
    played = [Played(name="pits", hit=True, by_chance=0.1), Played(name="pits", hit=False, by_chance=0.3)]
    pointing = sum_up(played, "here", ("pits", "scratches"))
    assert pointing is not None
    assert (pointing.hits.events, pointing.hits.trials) == (1, 2)
    assert pointing.classes[0].by_chance == pytest.approx(0.2)
    assert pointing.classes[1].hits.trials == 0
    assert sum_up([], "here", ("pits",)) is None
