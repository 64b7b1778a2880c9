"""A measurement of parts of which only the class is known: what it counts, and what it names as not measured."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.dataset.named import KnownScan
from models.dataset.patches import cut
from models.evaluation.measurement import (
    Scope,
    measure_disturbed,
    measure_recording,
    write_evaluation,
    write_robustness,
)
from models.evaluation.measuring.evaluation import Evaluation
from station.core.errors import ConfigError, PartError, RecordingError
from station.core.part import Pixels, Roi
from tests.unit.grey_recordings import forget_masks, relabel
from tests.unit.housings import GEOMETRY, Surface
from tests.unit.test_measurement import JUDGING, LEFT, RIGHT, RULE, instrument, write_part

NO_MASKS = (
    "Not measured, no masks: patches judged rightly, calibration, share of the defects found, detection against size "
    "and contrast, pointing game."
)


def as_the_station(image: Pixels, _scan: KnownScan) -> Pixels:
    """The patches of a part that the station has found."""
    if image.mean() < 10:
        raise PartError("part.too_dark", "nothing is seen")
    return np.ascontiguousarray(cut(image, LEFT, RIGHT, GEOMETRY), np.uint8)


FOUND = replace(RULE, cutter=as_the_station, columns=lambda _image, _scan: Roi(LEFT, RIGHT))
AS_FOUND = replace(JUDGING, rule=FOUND, scale=None)


@pytest.fixture
def masked(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    write_part(folder, "good-1", Surface.DEFECT_FREE, 0)
    write_part(folder, "good-21", Surface.DEFECT_FREE, 60, Surface.PITS)
    write_part(folder, "pits-big", Surface.PITS, 60)
    write_part(folder, "pits-small", Surface.PITS, 9)
    write_part(folder, "scratch", Surface.SCRATCHES, 60)
    return folder


@pytest.fixture
def folder(masked: Path, tmp_path: Path) -> Path:
    return forget_masks(Path(shutil.copytree(masked, tmp_path / "named")))


def measured(folder: Path) -> Evaluation:
    return measure_recording(instrument(), AS_FOUND, Scope(folder, None, 0, 9, 0, 1))[0]


def test_parts_are_counted_as_with_masks_and_what_needs_masks_is_named(folder: Path, masked: Path) -> None:
    named, whole = measured(folder), measure_recording(instrument(), JUDGING, Scope(masked, None, 0, 9, 0, 1))[0]
    assert named.parts is not None
    assert whole.parts is not None
    assert named.parts.tally == whole.parts.tally
    assert named.parts.classification == whole.parts.classification
    assert (named.parts.figures.escapes, named.parts.figures.patches) == (1, 0)
    assert (named.images, named.detection, named.false_calls, named.pointing) == (None, (), None, None)
    assert {one.why for one in named.not_measured} == {"no masks"}
    assert whole.not_measured == ()
    assert named.source.kind == "recording of whole parts, their classes alone"


def test_the_report_names_what_is_missing_and_shows_the_worst_without_an_outline(folder: Path, tmp_path: Path) -> None:
    relabel(folder, {"scratch": "cannot_be_judged"})
    evaluation, pictures = measure_recording(instrument(), AS_FOUND, Scope(folder, None, 1, 0, 0, 1))
    write_evaluation(tmp_path, evaluation, pictures)
    text = (tmp_path / "report.html").read_text()
    assert NO_MASKS in text
    assert "1 parts are counted nowhere" in text
    assert "<td>scratch</td><td>it is labelled cannot_be_judged</td>" in text
    assert "pits-small: pits, judged defect free" in text
    assert "Calibration" not in text
    assert Evaluation.model_validate_json((tmp_path / "evaluation.json").read_text()) == evaluation


def test_a_defect_of_no_class_that_passes_is_an_escape_and_only_review_is_right_for_it(
    folder: Path, tmp_path: Path
) -> None:
    relabel(folder, {"pits-small": "other_defect", "pits-big": "other_defect", "scratch": "rust"})
    evaluation, pictures = measure_recording(instrument(), AS_FOUND, Scope(folder, None, 0, 0, 0, 1))
    parts = evaluation.parts
    assert parts is not None
    assert (parts.tally.escapes.events, parts.tally.escapes.trials) == (1, 3)
    assert (parts.figures.wrong_class, parts.figures.defective_parts) == (2, 3)
    assert parts.unlisted is not None
    assert parts.unlisted.labels == {"other_defect": 2, "rust": 1}
    found = (parts.unlisted.escapes, parts.unlisted.called_defective, parts.unlisted.reviews)
    assert [one.events for one in found] == [1, 2, 0]
    assert parts.classification is not None
    assert parts.classification.samples == 2
    write_evaluation(tmp_path, evaluation, pictures)
    assert (
        "3 parts show a defect of no configured class (other defect 2, rust 1)"
        in (tmp_path / "report.html").read_text()
    )


def test_parts_of_no_class_alone_have_no_table_of_classes(folder: Path, tmp_path: Path) -> None:
    relabel(folder, dict.fromkeys(["good-1", "good-21", "pits-big", "pits-small", "scratch"], "other_defect"))
    evaluation, pictures = measure_recording(instrument(), AS_FOUND, Scope(folder, None, 0, 0, 0, 1))
    assert evaluation.parts is not None
    assert (evaluation.parts.classification, evaluation.parts.tally.escapes.events) == (None, 2)
    write_evaluation(tmp_path, evaluation, pictures)


def test_curves_are_measured_on_another_recording_with_masks_and_on_no_other(folder: Path, masked: Path) -> None:
    judging = replace(AS_FOUND, scale=JUDGING.scale)
    evaluation, _pictures = measure_recording(instrument(), judging, Scope(folder, masked, 0, 0, 0, 1))
    assert [one.defect for one in evaluation.detection] == ["pits", "scratches"]
    assert [one.figure for one in evaluation.not_measured] == ["patches judged rightly", "calibration", "pointing game"]
    with pytest.raises(ConfigError, match=r"--curves .*there is no truth.jsonl"):
        measure_recording(instrument(), judging, Scope(folder, folder, 0, 0, 0, 1))


def test_sizes_need_the_width_of_a_column_and_parts_without_masks_do_not(masked: Path) -> None:
    with pytest.raises(ConfigError, match="mm_per_px"):
        measure_recording(instrument(), AS_FOUND, Scope(masked, None, 0, 0, 0, 1))


def test_robustness_needs_no_masks_and_names_what_it_left_out(folder: Path, tmp_path: Path) -> None:
    relabel(folder, {"good-1": None})
    document = measure_disturbed(instrument(), AS_FOUND, folder, 1, 1)
    assert document.parts == 1
    assert [str(one) for one in document.left_out] == ["good-1: nobody has said what it is"]
    light = next(curve for curve in document.curves if curve.name == "brightness")
    assert {level.level: level.tally.overkills.events for level in light.levels}[1] == 1
    write_robustness(tmp_path, document)
    assert "nobody has said what it is" in (tmp_path / "report.html").read_text()


def test_a_refused_scan_is_a_review_and_a_truncated_one_is_named(folder: Path) -> None:
    (folder / "scratch.png").write_bytes((folder / "scratch.png").read_bytes()[:2000])
    with pytest.raises(RecordingError, match=r"named/scratch\.png"):
        measured(folder)


def test_nobody_knows_the_columns_of_a_part_without_its_truth(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"good-1\.png: no truth names the part's columns"):
        measure_recording(instrument(), JUDGING, Scope(folder, None, 0, 0, 0, 1))
