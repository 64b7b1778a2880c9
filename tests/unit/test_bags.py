"""Data sets of which only the parts' classes are known: their parts are judged whole, by all patches of each."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from models.dataset.store import DataFile, DataHeading, DataSet, Entry, Level, Split, write_data
from models.errors import DatasetError
from models.evaluation.measuring.bags import bags_of, judge_bags
from models.evaluation.measuring.evaluation import Evaluation
from models.evaluation.measuring.parts import measure
from models.evaluation.measuring.scorers import BundleScorer
from models.release.pictures import Draw, read_pictures
from station.cli.model import model_app
from tests.bundles import GREYS, make_grey_bundle
from tests.unit.housings import CLASSES, GEOMETRY, MEANING, SCAN_GEOMETRY, S
from tests.unit.test_measurement import ByGrey

PATCHES = 16


def part(number: int, label: S, dark: tuple[int, ...], *, known: bool, split: str = "test") -> Entry:
    """A part with black spots on some patches; the patches of a defective one have no class of their own."""
    images = np.full((PATCHES, 256, 256), 120, np.uint8)
    images[list(dark), :60, :60] = 10
    file = DataFile(path=f"parts/{number}.png", sha256=f"{number:064x}", group=number, label=label, split=split)  # type: ignore[arg-type]
    if label == S.DEFECT_FREE:
        return Entry(file, images, np.zeros(PATCHES, np.int16))
    levels = np.full(PATCHES, Level.PART, np.uint8)
    return Entry(file, images, np.full(PATCHES, -1, np.int16), levels, None if known else -1)


def data_of(folder: Path, *entries: Entry) -> DataSet:
    heading = DataHeading(
        name="d", kind="patches", classes=CLASSES, passing=CLASSES[0], geometry=SCAN_GEOMETRY, height=256, width=256,
        source="s", seed=1, shares=(0, 0, 100),
    )  # fmt: skip
    return write_data(folder, heading, entries, PATCHES * len(entries))


@pytest.fixture
def data(tmp_path: Path) -> DataSet:
    return data_of(
        tmp_path / "d",
        part(0, S.DEFECT_FREE, (), known=True),
        part(1, S.DEFECT_FREE, (3,), known=True),
        part(2, S.PITS, (5, 6), known=True),
        part(3, S.SCRATCHES, (), known=True),
        part(4, S.PITS, (5,), known=False),
    )


def test_a_part_is_judged_by_all_its_patches_and_one_that_nobody_knows_is_not(data: DataSet) -> None:
    assert [len(bag) for bag in bags_of(data, Split.TEST)] == [PATCHES] * 4
    judged = judge_bags(BundleScorer(ByGrey()), data, Split.TEST, MEANING, 0.5)
    assert [part.verdict.name for part in judged] == ["defect_free", "pits", "pits", "defect_free"]
    figures = measure(judged, "d")
    assert (figures.parts, figures.escapes, figures.overkills) == (4, 1, 1)
    with pytest.raises(DatasetError, match="no part in the train split whose class is known"):
        judge_bags(BundleScorer(ByGrey()), data, Split.TRAIN, MEANING, 0.5)


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(model_app, ["evaluate", *map(str, arguments)])


def test_such_a_data_set_is_measured_part_by_part_and_what_needs_masks_is_named(tmp_path: Path) -> None:
    entries = [part(number, S.PITS, (1,), known=True) for number in range(2)]
    data_of(tmp_path / "d", part(7, S.DEFECT_FREE, (), known=True), *entries)
    greys = GREYS | {S.DEFECT_FREE: 120, S.PITS: 114}
    bundle = make_grey_bundle(tmp_path / "grey-1", greys, sharpness=2.0)
    result = evaluate(bundle, tmp_path / "d", "--out", tmp_path / "out")
    assert result.exit_code == 0, (result.output, result.exception)
    evaluation = Evaluation.model_validate_json((tmp_path / "out" / "evaluation.json").read_text())
    assert evaluation.parts is not None
    assert (evaluation.parts.tally.accuracy.events, evaluation.parts.tally.accuracy.trials) == (3, 3)
    assert (evaluation.images, evaluation.subject.min_confidence) == (None, 0.5)
    assert "Not measured, no masks: patches judged rightly" in result.stderr


def test_an_export_calibrates_on_the_patches_of_such_parts_and_fits_no_temperature(tmp_path: Path) -> None:
    train = [part(number, S.DEFECT_FREE, (), known=True, split="train") for number in range(4)]
    train += [part(number, S.PITS, (0, 1), known=True, split="train") for number in (4, 5)]
    good = part(8, S.DEFECT_FREE, (), known=True, split="validation")
    bad = part(9, S.PITS, (2,), known=True, split="validation")
    data_of(tmp_path / "d", *train, good, bad)
    drawn = read_pictures(tmp_path / "d", Draw(80, 64, 1), MEANING, GEOMETRY)
    assert (len(drawn.calibration), len(drawn.validation)) == (40 + 10, 0)
