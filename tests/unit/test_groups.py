"""Parts by the place of their defect and by unknown kind: what is found, and what is told of what nobody asked."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.dataset.scans import LabelledScan, marks_of
from models.dataset.store import SLIVER
from models.evaluation.measuring.groups import group_figures, read_asked, was_found
from models.evaluation.measuring.parts import JudgedPart, decide_part
from models.evaluation.report.groups import groups_section
from station.core.errors import RecordingError
from tests.unit.housings import LINES, MEANING, TABLE, Surface


def judged(
    folder: Path, name: str, surface: Surface, labels: dict[int, int], **called: tuple[int, float]
) -> JudgedPart:
    """A part of a class whose patches `pN` are `(class, probability)`, and the others surely defect-free."""
    rows, known = np.zeros((16, 5), np.float32), np.zeros(16, np.int8)
    rows[:, 0] = 1
    for patch, (column, probability) in called.items():
        rows[int(patch[1:])] = 0
        rows[int(patch[1:]), [0, column]] = 1 - probability, probability
    known[list(labels)] = list(labels.values())
    files = (folder / f"{name}.png", folder / "masks" / f"{name}.png")
    scan = LabelledScan(name, surface.verdict, *files, 20, 276, marks_of(TABLE), LINES)
    return decide_part(scan, known, rows, MEANING, 0.5)


def told(folder: Path, *lines: dict[str, object]) -> None:
    (folder / "truth.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_defect_is_found_where_a_patch_that_shows_it_is_called_defective_of_whatever_class(tmp_path: Path) -> None:
    pits = Surface.PITS
    assert was_found(judged(tmp_path, "a", pits, {5: 2, 7: 2}, p7=(4, 0.9)))
    assert not was_found(judged(tmp_path, "a", pits, {5: 2, 7: SLIVER}, p7=(2, 0.9))), "only a sliver of it"
    assert not was_found(judged(tmp_path, "a", pits, {5: 2}, p6=(2, 0.9)))
    assert was_found(judged(tmp_path, "a", pits, {5: SLIVER}, p5=(2, 0.9))), (
        "too small for any patch to show it by rule"
    )


def test_a_refused_scan_has_found_nothing(tmp_path: Path) -> None:
    part = judged(tmp_path, "a", Surface.PITS, {5: 2}, p5=(2, 0.9))
    refused = replace(part, probabilities=np.zeros((0, 5), np.float32), outcome=None, verdict=TABLE.review)
    assert not was_found(refused)


def test_parts_are_counted_by_place_and_of_a_place_by_class(tmp_path: Path) -> None:
    told(
        tmp_path,
        {"file": "a.png", "defects": [{"class": "pits", "line": 3, "column": 4, "place": "seam"}]},
        {"file": "b.png", "defects": [{"class": "scratches", "line": 3, "column": 4, "place": "seam"}]},
        {"file": "c.png", "defects": [{"class": "pits", "line": 3, "column": 4, "place": "whole"}]},
        {"file": "d.png", "defects": []},
    )
    parts = [
        judged(tmp_path, "a", Surface.PITS, {0: 2, 14: 2}, p0=(4, 0.9)),
        judged(tmp_path, "b", Surface.SCRATCHES, {0: 4}),
        judged(tmp_path, "c", Surface.PITS, {4: 2}, p4=(2, 0.9)),
        judged(tmp_path, "d", Surface.DEFECT_FREE, {}),
    ]
    groups = group_figures(parts, read_asked(tmp_path), tmp_path)
    counts = [(one.name, one.defect, one.found.events, one.right.events, one.escapes.events, one.found.trials)
              for one in groups]  # fmt: skip
    assert counts == [
        ("seam", None, 1, 0, 1, 2),
        ("seam", "pits", 1, 0, 0, 1),
        ("seam", "scratches", 0, 0, 1, 1),
        ("whole", None, 1, 1, 0, 1),
        ("whole", "pits", 1, 1, 0, 1),
    ]
    assert {one.by for one in groups} == {"place"}
    section = groups_section(groups)
    assert "By place of the defect" in section
    assert "unknown" not in section
    assert "(1 of 2)" in section


def test_kinds_are_counted_as_whole_parts(tmp_path: Path) -> None:
    told(tmp_path, {"file": "a.png", "defects": [], "unknown": "label"})
    part = judged(tmp_path, "a", Surface.PITS, {3: SLIVER}, p3=(2, 0.9))
    unlisted = replace(part, scan=replace(part.scan, surface=TABLE.unlisted))
    (group,) = group_figures([unlisted], read_asked(tmp_path), tmp_path)
    assert (group.by, group.name, group.defect) == ("kind", "label", None)
    assert (group.found.events, group.right.events, group.escapes.events) == (1, 0, 0)


def test_where_nothing_was_asked_for_nothing_is_told(tmp_path: Path) -> None:
    assert read_asked(tmp_path) == {}
    told(tmp_path, {"file": "a.png", "defects": [{"class": "pits", "line": 3, "column": 4}]})
    assert read_asked(tmp_path) == {}
    assert group_figures([judged(tmp_path, "a", Surface.PITS, {1: 2})], {}, tmp_path) == ()
    assert groups_section(()) == ""


@pytest.mark.parametrize("line", ["{", '{"defects": []}', '{"file": "a.png", "unknown": 3}'])
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "truth.jsonl").write_text('{"file": "b.png"}\n' + line)
    with pytest.raises(RecordingError, match=r"truth\.jsonl:2: "):
        read_asked(tmp_path)
