"""Blended defects stand in a data set as what they are: made, of named pictures, for training alone."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from models.curve.subsets import nested
from models.dataset.manifest import DataFile, DataHeading
from models.dataset.store import DataSet, Entry, Split, read_data, verify_images, write_data
from models.errors import DatasetError
from models.novelty.learnt import trained_on
from models.synthesis.blended_set import BlendPlan, add_blended
from models.training.folds import deal
from station.cli.app import app
from tests.blendable import SIDE, own_pictures


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return own_pictures(tmp_path_factory.mktemp("plant"))


def test_all_that_was_there_is_there_and_the_rest_is_marked(own: DataSet, tmp_path: Path) -> None:
    blended = add_blended(tmp_path / "more", own, BlendPlan("more", 9)).data
    verify_images(blended)
    count = len(own.images)
    for name in ("images", "labels", "groups", "splits", "files", "levels", "parts", "part_labels"):
        assert np.array_equal(getattr(blended, name)[:count], getattr(own, name)), name
    assert blended.manifest.format == 4
    assert blended.made.tolist() == [False] * count + [True] * 18
    assert set(blended.splits[count:].tolist()) == {Split.TRAIN}
    labels = blended.labels[count:].tolist()
    assert [labels.count(blended.classes.index(name)) for name in ("free", "pit", "scratch")] == [0, 9, 9]


def test_a_made_image_names_what_it_was_made_of_and_that_trains(own: DataSet, tmp_path: Path) -> None:
    blended = add_blended(tmp_path / "more", own, BlendPlan("more", 9)).data
    training = {file.sha256: file.label for file in own.manifest.files if file.split == "train"}
    made = [file for file in blended.manifest.files if file.made]
    assert len({file.sha256 for file in made}) == len(made)
    for file in made:
        assert file.made is not None
        assert file.made.method == "blending"
        assert [training[sha256] for sha256 in file.made.of] == [file.label, "free"]


def test_the_same_seed_makes_the_same(own: DataSet, tmp_path: Path) -> None:
    one, same, other = (
        add_blended(tmp_path / name, own, BlendPlan("more", 4, seed=seed)).data
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert np.array_equal(one.images, same.images)
    assert not np.array_equal(one.images, other.images)


def test_a_made_defect_is_darker_where_its_mask_says(own: DataSet, tmp_path: Path) -> None:
    blended = add_blended(tmp_path / "more", own, BlendPlan("more", 6, ("pit",)))
    assert list(blended.made) == ["pit"]
    for one in blended.made["pit"]:
        assert int(one.image[one.mask].min()) < float(np.median(one.image)) - 40
        assert int(one.image[~one.mask].min()) > float(np.median(one.image)) - 20


def test_no_fold_trains_on_what_was_made_of_what_it_judges(own: DataSet, tmp_path: Path) -> None:
    blended = add_blended(tmp_path / "more", own, BlendPlan("more", 9)).data
    dealt = deal(blended, 3, 1, "auto")
    plain = deal(own, 3, 1, "auto")
    assert np.array_equal(dealt.usable, plain.usable)
    assert np.array_equal(dealt.fold_of, plain.fold_of)
    files = blended.manifest.files
    trained_somewhere = set()
    for fold in range(3):
        judged = {files[int(blended.files[image])].sha256 for image in dealt.left_out(blended, fold)}
        trained = dealt.trained(fold)
        assert not blended.made[dealt.left_out(blended, fold)].any()
        for image in trained[blended.made[trained]].tolist():
            making = files[int(blended.files[image])].made
            assert making is not None
            assert judged.isdisjoint(making.of)
            trained_somewhere.add(image)
    assert trained_somewhere


def test_curve_and_calibration_count_what_a_camera_took(own: DataSet, tmp_path: Path) -> None:
    blended = add_blended(tmp_path / "more", own, BlendPlan("more", 9)).data
    assert {size: images.tolist() for size, images in nested(blended, [6, 12], 1).items()} == {
        size: images.tolist() for size, images in nested(own, [6, 12], 1).items()
    }
    assert np.array_equal(trained_on(blended), trained_on(own))


def test_made_images_are_not_blended_again(own: DataSet, tmp_path: Path) -> None:
    once = add_blended(tmp_path / "once", own, BlendPlan("once", 4)).data
    twice = add_blended(tmp_path / "twice", once, BlendPlan("twice", 4, seed=2))
    taken = {file.sha256 for file in own.manifest.files}
    assert all(set(one.file.made.of) <= taken for made in twice.made.values() for one in made if one.file.made)
    assert twice.data.made.sum() == 16


def made_entry(split: str, of: str) -> Entry:
    file = DataFile.model_validate(
        {"path": "made/1.png", "sha256": "1" * 64, "group": 1, "label": "bad", "split": split,
         "made": {"method": "blending", "of": [of], "seed": 1}},
    )  # fmt: skip
    return Entry(file, np.zeros((1, 8, 8), np.uint8), np.array([1], np.int16))


@pytest.mark.parametrize(
    ("split", "of", "told"),
    [
        ("validation", "0" * 64, "was made, and is for validation"),
        ("test", "0" * 64, "was made, and is for test"),
        ("train", "2" * 64, "was made of what does not train here"),
    ],
)
def test_made_images_that_would_judge_are_refused(tmp_path: Path, split: str, of: str, told: str) -> None:
    heading = DataHeading(
        name="n", kind="class_folders", classes=("good", "bad"), passing="good", height=8, width=8, source="here",
        seed=1, shares=(50, 50, 0),
    )  # fmt: skip
    file = DataFile(path="0.png", sha256="0" * 64, group=0, label="good", split="train")
    taken = Entry(file, np.zeros((1, 8, 8), np.uint8), np.array([0], np.int16))
    with pytest.raises(DatasetError, match=told):
        write_data(tmp_path / "d", heading, [taken, made_entry(split, of)], 2)
    assert list(tmp_path.iterdir()) == []


def test_a_mark_that_was_taken_out_is_noticed(own: DataSet, tmp_path: Path) -> None:
    add_blended(tmp_path / "more", own, BlendPlan("more", 2))
    manifest = tmp_path / "more" / "manifest.json"
    said = json.loads(manifest.read_text())
    said["files"][-1]["split"] = "validation"
    manifest.write_text(json.dumps(said))
    with pytest.raises(DatasetError, match="was made, and is for validation"):
        read_data(tmp_path / "more")


def test_bad_choices_are_refused_by_name(own: DataSet, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(DatasetError, match="free, dent: not a class of defects"):
        add_blended(out, own, BlendPlan("n", 3, ("free", "dent")))
    nameless = replace(own, manifest=own.manifest.model_copy(update={"passing": None}))
    with pytest.raises(DatasetError, match="no class passes"):
        add_blended(out, nameless, BlendPlan("n", 3))
    with pytest.raises(DatasetError, match="class pit: no defect could be cut out"):
        add_blended(out, own, BlendPlan("n", 3, masks=tmp_path / "nowhere"))
    assert list(tmp_path.iterdir()) == []


def test_of_three_defects_the_copies_are_told(own: DataSet, tmp_path: Path) -> None:
    kept = {file.path for file in own.manifest.files if file.label == "pit" and file.split == "train"}
    masks = tmp_path / "masks"
    for path in sorted(kept)[:3]:
        (masks / path).parent.mkdir(parents=True, exist_ok=True)
        drawn = np.zeros((SIDE, SIDE), np.uint8)
        cv2.circle(drawn, (32, 32), 20, 255, -1)
        cv2.imwrite(str((masks / path).with_suffix(".png")), drawn)
    blended = add_blended(tmp_path / "more", own, BlendPlan("more", 20, ("pit",), masks))
    assert blended.told == ("class pit: all 20 blended images show the same 3 defects; collect more of them",)
    assert len(blended.left_out) == len(kept) - 3


def test_one_command_makes_two_hundred_and_shows_them(own: DataSet, tmp_path: Path) -> None:
    out = tmp_path / "more"
    result = CliRunner().invoke(
        app,
        ["dataset", "blend", str(own.folder), str(out), "--picture", str(tmp_path / "sheet.png"),
         "--made-masks", str(tmp_path / "masks"), "--class", "pit"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "made: no camera took them" in result.output
    assert int(read_data(out).made.sum()) == 200
    assert cv2.imread(str(tmp_path / "sheet.png")) is not None
    masks = sorted((tmp_path / "masks" / "made" / "blending" / "pit").iterdir())
    assert len(masks) == 200
    assert cv2.imread(str(masks[0]), cv2.IMREAD_GRAYSCALE).max() == 255
