"""Data sets from recordings: patches or whole scans, split by part; what leaks or cannot be read is refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.dataset.cutting import CutPlan
from models.dataset.looking import Given
from models.dataset.making import make_from_scans
from models.dataset.manifest import DataSource
from models.dataset.scans import read_scans
from models.dataset.store import SLIVER, DataSet, Split, split_name
from models.errors import DatasetError
from models.evaluation.measuring.parts import Rule, cutter_at_truth, true_labels
from models.meaning import own_table
from station.core.errors import RecordingError
from tests.unit.housings import CLASSES, GEOMETRY, LINES, MEANING, SCAN_GEOMETRY, TABLE, Surface

LEFT, RIGHT, WIDTH = 10, 330, 340
ENTRY = {"file": "a.png", "part_id": "A", "part_type": "smh_320", "label": "pits"}
TRUTH = {"file": "a.png", "mask": "masks/a.png", "left": LEFT, "right": RIGHT}


def record(folder: Path, parts: dict[str, Surface], seed: int = 0) -> Path:
    """A recording of small noise scans, whose defect is a square in the first strip."""
    (folder / "masks").mkdir(parents=True)
    lists: dict[str, list[str]] = {"recording.jsonl": [], "truth.jsonl": []}
    for number, (part_id, surface) in enumerate(parts.items()):
        rng = np.random.default_rng([seed, number])
        rows = rng.integers(40, 90, (LINES, 1), np.uint8)
        mask = np.zeros((LINES, WIDTH), np.uint8)
        mask[100:160, 40:90] = surface.number
        cv2.imwrite(str(folder / f"{part_id}.png"), rows + np.arange(WIDTH, dtype=np.uint8) % 40)
        cv2.imwrite(str(folder / "masks" / f"{part_id}.png"), mask)
        name = {"file": f"{part_id}.png"}
        lists["recording.jsonl"].append(json.dumps(ENTRY | name | {"part_id": part_id, "label": surface}))
        lists["truth.jsonl"].append(json.dumps(TRUTH | name | {"mask": f"masks/{part_id}.png"}))
    for file, lines in lists.items():
        (folder / file).write_text("\n".join(lines) + "\n")
    return folder


PLAN = CutPlan("patches", "tiny", TABLE, GEOMETRY, (67, 33, 0))
SIX = {f"{surface}-{number}": surface for surface in (Surface.DEFECT_FREE, Surface.PITS) for number in range(3)}


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    return record(tmp_path / "scans", SIX)


def made(
    place: Path,
    *folders: Path,
    validation: tuple[Path, ...] = (),
    test: tuple[Path, ...] = (),
    jobs: int = 1,
    plan: CutPlan = PLAN,
) -> DataSet:
    """A data set of recordings."""
    uses = [(folder, None) for folder in folders] + [(folder, Split.VALIDATION) for folder in validation]
    uses += [(folder, Split.TEST) for folder in test]
    given = [Given(scan, split) for folder, split in uses for scan in read_scans(folder, plan.table, LINES)]
    sources = [
        DataSource(kind="recording", name=folder.name, split=None if split is None else split_name(split), taken=1)
        for folder, split in uses
    ]
    return make_from_scans(place, plan, given, sources, jobs)


def test_patches_keep_label_part_and_split(scans: Path, tmp_path: Path) -> None:
    data = made(tmp_path / "d", scans, plan=replace(PLAN, jitter_px=0))
    assert data.images.shape == (96, 256, 256)
    assert (data.classes, data.manifest.passing) == (CLASSES, "defect_free")
    assert data.manifest.geometry == SCAN_GEOMETRY
    assert data.groups.tolist() == np.repeat(np.arange(6), 16).tolist()
    for number, file in enumerate(data.manifest.files):
        own = data.files == number
        assert set(data.labels[own].tolist()) - {SLIVER, 0} == ({2} if file.label == "pits" else set())
        assert len(set(data.splits[own].tolist())) == 1
        first = cv2.imread(str(scans / Path(file.path).name), cv2.IMREAD_UNCHANGED)[:448, LEFT:RIGHT]
        strip = cv2.resize(first, (512, 256), interpolation=cv2.INTER_AREA)
        assert np.array_equal(data.images[own][0], strip[:, :256])
    assert [int((data.splits == split).sum()) for split in Split] == [64, 32, 0]
    assert data.manifest.files[0].truth_sha256 != data.manifest.files[3].truth_sha256


def test_whole_scans_are_small_and_have_the_parts_class(scans: Path, tmp_path: Path) -> None:
    data = made(tmp_path / "d", scans, plan=replace(PLAN, kind="whole"))
    assert data.images.shape == (6, 512, 256)
    assert data.labels.tolist() == [0, 0, 0, 2, 2, 2]


def test_the_number_of_processes_does_not_change_a_byte(scans: Path, tmp_path: Path) -> None:
    one, two = (made(tmp_path / str(jobs), scans, jobs=jobs) for jobs in (1, 2))
    assert one.sha256 == two.sha256


def test_jitter_moves_edges_and_follows_the_seed(scans: Path, tmp_path: Path) -> None:
    hashes = [
        made(tmp_path / f"{number}", scans, plan=replace(PLAN, **changed)).manifest.arrays["images"]
        for number, changed in enumerate([{"seed": 1}, {"seed": 1}, {"seed": 2}, {"jitter_px": 0}])
    ]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_a_scan_that_trains_is_cut_again_from_other_lines_of_its_turn(scans: Path, tmp_path: Path) -> None:
    once, thrice = (made(tmp_path / str(cuts), scans, plan=replace(PLAN, cuts=cuts)) for cuts in (1, 3))
    assert [int((thrice.splits == split).sum()) for split in Split] == [3 * 64, 32, 0]
    assert thrice.manifest.cuts == 3
    for number, file in enumerate(thrice.manifest.files):
        own, before = thrice.files == number, once.files == number
        cuts = thrice.images[own].reshape(-1, 16, 256, 256)
        labels = thrice.labels[own].reshape(-1, 16)
        assert len(cuts) == (3 if file.split == "train" else 1)
        assert np.array_equal(cuts[0], once.images[before])
        assert np.array_equal(labels[0], once.labels[before])
        assert len({turned.tobytes() for turned in cuts}) == len(cuts)
        assert [turned.mean() for turned in cuts] == pytest.approx([cuts[0].mean()] * len(cuts), abs=0.5)  # all of it
        if file.label == "pits":
            assert all((own_labels != 0).any() for own_labels in labels)


def test_recordings_may_be_given_for_validation_and_test(scans: Path, tmp_path: Path) -> None:
    parts = {"v1": Surface.DEFECT_FREE, "v2": Surface.PITS}
    others = [
        record(tmp_path / name, {name + part: own for part, own in parts.items()}, seed)
        for seed, name in ((5, "val"), (6, "test"))
    ]
    plan = replace(PLAN, shares=(100, 0, 0))
    data = made(tmp_path / "d", scans, validation=(others[0],), test=(others[1],), plan=plan)
    assert [int((data.splits == split).sum()) for split in Split] == [96, 32, 32]
    assert data.manifest.source == "scans; validation val; test test"


@pytest.mark.parametrize("what", ["part", "bytes"])
def test_a_part_in_two_splits_is_refused(scans: Path, tmp_path: Path, what: str) -> None:
    name = "pits-1" if what == "part" else "other"
    other = record(tmp_path / "val", {name: Surface.PITS, "v": Surface.DEFECT_FREE}, seed=9)
    if what == "bytes":
        shutil.copy(scans / "pits-1.png", other / "other.png")
    with pytest.raises(DatasetError) as caught:
        made(tmp_path / "d", scans, validation=(other,), plan=replace(PLAN, shares=(100, 0, 0)))
    assert caught.value.code == "dataset.bad_source"
    assert "pits-1" in caught.value.detail
    assert not (tmp_path / "d").exists()


def test_scans_of_the_same_bytes_stay_together(scans: Path, tmp_path: Path) -> None:
    shutil.copy(scans / "pits-1.png", scans / "pits-2.png")
    data = made(tmp_path / "d", scans)
    twins = [file for file in data.manifest.files if file.path in {"scans/pits-1.png", "scans/pits-2.png"}]
    assert twins[0].sha256 == twins[1].sha256
    assert twins[0].split == twins[1].split
    assert twins[0].group == twins[1].group


def test_parts_of_one_class_only_are_refused(tmp_path: Path) -> None:
    scans = record(tmp_path / "scans", {"a": Surface.PITS, "b": Surface.PITS})
    with pytest.raises(DatasetError) as caught:
        made(tmp_path / "d", scans)
    assert caught.value.code == "dataset.bad_source"


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _of_shape(*shape: int, kind: type = np.uint8) -> object:
    return lambda path: cv2.imwrite(str(path), np.zeros(shape, kind))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"no picture"),
        _cut_off,
        _of_shape(3583, WIDTH),
        _of_shape(3584, WIDTH, 3),
        _of_shape(3584, WIDTH, kind=np.uint16),
        _of_shape(3584, 100),
    ],
)
@pytest.mark.parametrize("name", ["pits-1.png", "masks/pits-1.png"])
def test_a_picture_that_cannot_be_used_is_named_and_nothing_is_left(
    scans: Path, tmp_path: Path, damage: object, name: str
) -> None:
    damage(scans / name)  # type: ignore[operator]
    with pytest.raises(DatasetError) as caught:
        made(tmp_path / "d", scans)
    assert caught.value.code == "dataset.bad_source"
    assert "pits-1" in caught.value.detail
    assert [path.name for path in tmp_path.iterdir()] == ["scans"]


@pytest.mark.parametrize("name", ["pits-1.png", "masks/pits-1.png"])
def test_a_missing_file_is_named(scans: Path, name: str) -> None:
    (scans / name).unlink()
    with pytest.raises(RecordingError) as caught:
        read_scans(scans, TABLE, LINES)
    assert caught.value.code == "recording.bad_line"
    assert f"no file '{name}'" in caught.value.detail


def _marked(value: int, columns: slice = slice(40, 90)) -> np.ndarray:
    mask = np.zeros((LINES, WIDTH), np.uint8)
    mask[100:160, columns] = value
    return mask


@pytest.mark.parametrize(
    ("part", "mask", "told"),
    [
        ("pits-1", _marked(0), "it marks no pits within the part's columns, and part pits-1 is labelled so"),
        ("pits-1", _marked(Surface.SCRATCHES.number), "it marks no pits within the part's columns"),
        ("pits-1", _marked(Surface.PITS.number, slice(RIGHT, WIDTH)), "it marks no pits within the part's columns"),
        ("pits-1", _marked(255), "it holds the values 255; allowed are 0 and 1 imprinted, 2 pits, 3 roll_marks"),
        (
            "defect_free-1",
            _marked(Surface.PITS.number),
            "it marks pits, and part defect_free-1 is labelled defect_free",
        ),
        ("pits-1", _marked(2)[:, :-30], "it is 310 columns wide, and the part's are 10 to 330"),
    ],
)
def test_a_mask_that_says_something_else_than_the_label_is_refused(
    scans: Path, tmp_path: Path, part: str, mask: np.ndarray, told: str
) -> None:
    cv2.imwrite(str(scans / "masks" / f"{part}.png"), mask)
    with pytest.raises(DatasetError) as caught:
        made(tmp_path / "d", scans)
    assert caught.value.code == "dataset.bad_source"
    assert f"masks/{part}.png: {told}" in caught.value.detail
    bad = next(scan for scan in read_scans(scans, TABLE, LINES) if scan.part_id == part)
    with pytest.raises(RecordingError):
        true_labels(bad, Rule(MEANING, GEOMETRY, 0.5, cutter_at_truth(GEOMETRY)))


def test_all_scans_that_cannot_be_used_are_named_together(scans: Path, tmp_path: Path) -> None:
    for name in ("pits-0", "pits-2"):
        cv2.imwrite(str(scans / "masks" / f"{name}.png"), _marked(0))
    with pytest.raises(DatasetError, match=r"pits-0\.png: .*pits-2\.png: "):
        made(tmp_path / "d", scans)


def test_the_same_pixels_under_two_labels_are_refused_with_both_names(scans: Path, tmp_path: Path) -> None:
    same = cv2.imread(str(scans / "pits-1.png"), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(scans / "defect_free-2.png"), same, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    with pytest.raises(DatasetError) as caught:
        made(tmp_path / "d", scans)
    assert "defect_free-2.png is defect_free" in caught.value.detail
    assert "pits-1.png is pits" in caught.value.detail


def test_a_scan_that_is_no_whole_turn_is_cut_once(scans: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in (scans / "recording.jsonl").read_text().splitlines()]
    (scans / "recording.jsonl").write_text("".join(json.dumps(line | {"closed": False}) + "\n" for line in lines))
    assert len(made(tmp_path / "d", scans, plan=replace(PLAN, cuts=3)).images) == 6 * 16


@pytest.mark.parametrize(
    ("recording", "truth", "code"),
    [
        (None, json.dumps(TRUTH), "recording.not_found"),
        (json.dumps(ENTRY), None, "recording.not_found"),
        ("{", json.dumps(TRUTH), "recording.bad_line"),
        (json.dumps(ENTRY | {"label": "rust"}), json.dumps(TRUTH), "recording.bad_line"),
        (json.dumps(ENTRY | {"label": None}), json.dumps(TRUTH), "recording.bad_line"),
        (json.dumps(ENTRY), "\n".join([json.dumps(TRUTH)] * 2), "recording.bad_line"),
        (json.dumps(ENTRY), json.dumps(TRUTH | {"mask": "../a.png"}), "recording.path_outside"),
        (json.dumps(ENTRY | {"file": "../a.png"}), json.dumps(TRUTH), "recording.path_outside"),
        ("\n".join([json.dumps(ENTRY)] * 2), json.dumps(TRUTH), "recording.duplicate_part"),
        (json.dumps(ENTRY | {"colour": "red"}), json.dumps(TRUTH), "recording.bad_line"),
        (json.dumps(ENTRY), json.dumps(TRUTH | {"file": "b.png"}), "recording.bad_line"),
    ],
)
def test_a_recording_without_a_usable_truth_is_refused(
    tmp_path: Path, recording: str | None, truth: str | None, code: str
) -> None:
    (tmp_path / "a.png").write_bytes(b"not looked into")
    for name, text in (("recording.jsonl", recording), ("truth.jsonl", truth)):
        if text is not None:
            (tmp_path / name).write_text(text)
    with pytest.raises(RecordingError) as caught:
        read_scans(tmp_path, TABLE, LINES)
    assert caught.value.code == code


def test_a_table_of_other_classes_names_labels_and_masks(scans: Path, tmp_path: Path) -> None:
    own = own_table(("rust", "ok", "dent"), "ok")
    for name, label in (("defect_free", "ok"), ("pits", "dent")):
        for file in ("recording.jsonl",):
            text = (scans / file).read_text().replace(f'"label": "{name}"', f'"label": "{label}"')
            (scans / file).write_text(text)
    data = made(tmp_path / "d", scans, plan=replace(PLAN, table=own))
    assert (data.classes, data.manifest.passing) == (("ok", "rust", "dent"), "ok")
    assert set(data.labels.tolist()) - {SLIVER} == {0, 2}
    with pytest.raises(RecordingError, match="unknown label 'ok', allowed are defect_free"):
        read_scans(scans, TABLE, LINES)
