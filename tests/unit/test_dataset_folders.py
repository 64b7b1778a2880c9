"""Data sets from class folders: every picture is looked at before anything is written."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.dataset.alike import alike_pictures
from models.dataset.folder_listing import Cut, Resized
from models.dataset.folders import FolderPlan, make_from_folders
from models.dataset.patchwork import patch_count, patches_of
from models.dataset.split import Shares
from models.dataset.store import DataSet, Level, Split
from models.errors import DatasetError

CLASSES = ("crack", "dent", "free")


def picture(number: int, height: int = 40, width: int = 32) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (height, width), np.uint8)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for index, name in enumerate(CLASSES):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(10):
            cv2.imwrite(str(tmp_path / "pictures" / name / f"{number}.png"), picture(100 * index + number))
    return tmp_path / "pictures"


def test_a_folder_is_a_class_and_is_shared_out(source: Path, tmp_path: Path) -> None:
    (source / "dent" / "notes.txt").write_text("no picture")
    (source / ".hidden").mkdir()
    data = make_from_folders(tmp_path / "d", FolderPlan("tiny", source, (70, 20, 10)))
    assert data.classes == CLASSES
    assert data.images.shape == (30, 40, 32)
    for label, name in enumerate(CLASSES):
        own = data.labels == label
        assert [int((data.splits[own] == split).sum()) for split in Split] == [7, 2, 1]
        assert all(data.manifest.files[file].path.startswith(f"{name}/") for file in data.files[own])
    assert np.array_equal(data.images[0], picture(0))


def test_same_seed_same_data_set(source: Path, tmp_path: Path) -> None:
    first, again, other = (
        make_from_folders(tmp_path / f"{number}", FolderPlan("tiny", source, seed=seed)).sha256
        for number, seed in enumerate((4, 4, 5))
    )
    assert first == again != other


def test_pictures_of_the_same_pixels_never_straddle_a_split(source: Path, tmp_path: Path) -> None:
    for number in range(5):
        cv2.imwrite(str(source / "crack" / f"twin{number}.bmp"), picture(number))
    data = make_from_folders(tmp_path / "d", FolderPlan("tiny", source, (50, 50, 0)))
    split_of = {file.path: file.split for file in data.manifest.files}
    hash_of = {file.path: file.sha256 for file in data.manifest.files}
    for number in range(5):
        assert split_of[f"crack/twin{number}.bmp"] == split_of[f"crack/{number}.png"]
        assert hash_of[f"crack/twin{number}.bmp"] != hash_of[f"crack/{number}.png"]


def test_a_size_makes_mixed_sizes_equal(source: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(source / "dent" / "large.png"), picture(7, 80, 64))
    data = make_from_folders(tmp_path / "d", FolderPlan("tiny", source, size=Resized(48)))
    assert data.images.shape == (31, 48, 48)


def test_pictures_are_cut_at_full_size_and_of_defective_ones_only_the_whole_is_known(
    source: Path, tmp_path: Path
) -> None:
    cv2.imwrite(str(source / "dent" / "large.png"), large := picture(7, 80, 64))
    cv2.imwrite(str(source / "free" / "large.png"), picture(8, 80, 64))
    data = make_from_folders(tmp_path / "d", FolderPlan("tiny", source, size=Cut(40), passing="free"))
    assert data.images.shape == (30 + 2 * 4, 40, 40)
    own = np.flatnonzero(data.files == [file.path for file in data.manifest.files].index("dent/large.png"))
    assert np.array_equal(data.images[own][0], large[:40, :40])
    assert np.array_equal(data.images[own][3], large[-40:, -40:])
    assert set(data.labels[own].tolist()) == {-1}
    assert set(data.levels[own].tolist()) == {Level.PART}
    assert set(data.part_labels[own].tolist()) == {CLASSES.index("dent")}
    assert len(set(data.parts[own].tolist())) == len(set(data.splits[own].tolist())) == 1
    assert (data.labels >= 0).sum() == 30 + 4, (
        "one patch shows what its picture is, and every patch of a good one is good"
    )
    with pytest.raises(DatasetError, match="--passing"):
        make_from_folders(tmp_path / "e", FolderPlan("tiny", source, size=Cut(40)))


@pytest.mark.parametrize(("height", "width", "count"), [(40, 40, 1), (30, 41, 2), (81, 120, 9), (1, 1, 1)])
def test_patches_cover_every_pixel_of_a_picture(height: int, width: int, count: int) -> None:
    image = picture(1, height, width)
    patches = patches_of(image, 40)
    assert len(patches) == patch_count((height, width), 40) == count
    assert set(np.unique(image)) == set(np.unique(patches))
    numbers = np.arange(height * width, dtype=np.int64).reshape(height, width)
    shown = [patches_of(np.asarray(numbers // 256**byte % 256, np.uint8), 40).astype(int) for byte in range(2)]
    assert set((shown[0] + 256 * shown[1]).ravel().tolist()) == set(range(height * width))


def test_equal_channels_are_grey(source: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(source / "crack" / "0.png"), np.repeat(picture(0)[:, :, None], 3, axis=2))
    assert np.array_equal(make_from_folders(tmp_path / "d", FolderPlan("tiny", source)).images[0], picture(0))


def _empty(source: Path) -> None:
    for path in (source / "dent").iterdir():
        path.unlink()


def _one_class(source: Path) -> None:
    for path in source.iterdir():
        if path.name != "dent":
            path.rename(source.parent / path.name)


def _write(pixels: np.ndarray) -> Callable[[Path], None]:
    def damage(source: Path) -> None:
        cv2.imwrite(str(source / "dent" / "5.png"), pixels)

    return damage


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_empty, "no pictures in dent"),
        (_one_class, "1 class folders"),
        (lambda source: (source / "dent" / "5.png").write_bytes(b"no picture"), "dent/5.png: it is no PNG"),
        (lambda source: (source / "dent" / "5.png").write_bytes(b""), "dent/5.png: the file is empty"),
        (_write(np.zeros((40, 32), np.uint16)), "dent/5.png: it has 16 bits a pixel"),
        (_write(np.dstack([picture(1), picture(2), picture(3)])), "dent/5.png: it is a colour picture"),
        (_write(picture(1, 41)), "dent/5.png (41, 32)"),
        (lambda source: source.rename(source.with_name("elsewhere")), "is no folder"),
    ],
)
def test_what_cannot_become_a_data_set_is_named_and_nothing_is_left(
    source: Path, tmp_path: Path, damage: Callable[[Path], None], told: str
) -> None:
    damage(source)
    with pytest.raises(DatasetError) as caught:
        make_from_folders(tmp_path / "d", FolderPlan("tiny", source))
    assert caught.value.code == "dataset.bad_source"
    assert told in caught.value.detail
    assert not list(tmp_path.glob("d*"))


def test_all_pictures_that_cannot_be_used_are_named_together(source: Path, tmp_path: Path) -> None:
    whole = cv2.imencode(".jpg", picture(500))[1].tobytes()
    (source / "dent" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (source / "free" / "3.png").write_bytes(b"")
    with pytest.raises(DatasetError) as caught:
        make_from_folders(tmp_path / "d", FolderPlan("tiny", source))
    assert "dent/cut.jpg: the file is cut off" in caught.value.detail
    assert "free/3.png: the file is empty" in caught.value.detail


def test_the_same_pixels_in_two_classes_are_refused_with_both_names(source: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(source / "free" / "copied.bmp"), cv2.imread(str(source / "dent" / "4.png"), cv2.IMREAD_UNCHANGED))
    with pytest.raises(DatasetError) as caught:
        make_from_folders(tmp_path / "d", FolderPlan("tiny", source))
    assert "the same pixels in two classes" in caught.value.detail
    assert "dent/4.png and " in caught.value.detail
    assert "free/copied.bmp" in caught.value.detail


def test_what_is_left_out_is_told(source: Path, tmp_path: Path) -> None:
    (source / "dent" / "notes.txt").write_text("no picture")
    (source / "masks").mkdir()
    told: list[str] = []
    data = make_from_folders(tmp_path / "d", FolderPlan("tiny", source), left_out=told.extend)
    assert [line.split(": ")[0] for line in told] == ["pictures/masks", "pictures/dent/notes.txt"]
    assert data.classes == CLASSES


def write_class(folder: Path, name: str, *numbers: int) -> None:
    (folder / name).mkdir(parents=True)
    for number in numbers:
        cv2.imwrite(str(folder / name / f"{number}.png"), picture(number))


def names_of(data: DataSet) -> dict[str, str]:
    return {file.path: file.split for file in data.manifest.files}


def test_splits_that_somebody_made_are_kept_and_what_trains_may_be_shared_out(tmp_path: Path) -> None:
    made = tmp_path / "made"
    write_class(made / "train", "crack", 1, 2)
    write_class(made / "train", "free", 3, 4)
    write_class(made / "test", "crack", 5)
    given = names_of(make_from_folders(tmp_path / "d", FolderPlan("tiny", made)))
    assert given == {f"train/{name}.png": "train" for name in ("crack/1", "crack/2", "free/3", "free/4")} | {
        "test/crack/5.png": "test"
    }
    shared = make_from_folders(tmp_path / "s", FolderPlan("tiny", made, (50, 50, 0)))
    assert sorted(names_of(shared).values()) == ["test", "train", "train", "validation", "validation"]
    assert given["test/crack/5.png"] == "test"


def test_folders_may_be_given_for_validation_and_test(source: Path, tmp_path: Path) -> None:
    write_class(tmp_path / "later", "crack", 901)
    write_class(tmp_path / "last", "free", 902)
    plan = FolderPlan("tiny", source, validation=(tmp_path / "later",), test=(tmp_path / "last",))
    data = make_from_folders(tmp_path / "d", plan)
    assert [int((data.splits == split).sum()) for split in Split] == [30, 1, 1]
    assert names_of(data)["later/crack/901.png"] == "validation"
    assert names_of(data)["last/free/902.png"] == "test"
    assert data.manifest.source == "pictures; validation later; test last"


@pytest.mark.parametrize("shares", [(0, 0, 100), None])
def test_a_ready_made_test_folder_is_judged_with_the_networks_classes(tmp_path: Path, shares: Shares | None) -> None:
    folder = tmp_path / "made" / ("test" if shares is None else "")
    write_class(folder, "dent", 1, 2)
    data = make_from_folders(tmp_path / "d", FolderPlan("tiny", tmp_path / "made", shares, classes=CLASSES))
    assert data.classes == CLASSES
    assert data.labels[data.indices(Split.TEST)].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("classes", "words"),
    [(("crack", "free"), "dent is none of crack, free"), (("crack", "crack"), "each needs a name of its own")],
)
def test_classes_that_do_not_fit_are_refused(
    source: Path, tmp_path: Path, classes: tuple[str, ...], words: str
) -> None:
    with pytest.raises(DatasetError, match=words):
        make_from_folders(tmp_path / "d", FolderPlan("tiny", source, classes=classes))


def test_the_same_pixels_in_two_splits_are_refused_with_both_names(source: Path, tmp_path: Path) -> None:
    write_class(tmp_path / "last", "crack", 3)
    with pytest.raises(DatasetError, match=r"crack/3\.png for (train|validation), .*last/crack/3\.png for test"):
        make_from_folders(tmp_path / "d", FolderPlan("tiny", source, test=(tmp_path / "last",)))


def test_a_folder_for_training_is_not_taken_for_testing(source: Path, tmp_path: Path) -> None:
    write_class(tmp_path / "made" / "train", "crack", 901)
    with pytest.raises(DatasetError, match="lies in a folder for train, and is given for test"):
        make_from_folders(tmp_path / "d", FolderPlan("tiny", source, test=(tmp_path / "made",)))


def objects() -> list[np.ndarray]:
    """Four smooth, spotted objects, each at three exposures and cut out a little otherwise."""
    pictures = []
    for number in range(4):
        spots = np.random.default_rng(number).normal(size=(120, 120)).astype(np.float32)
        detail = cv2.GaussianBlur(spots, (0, 0), 2)
        detail = 110 + 30 * detail / detail.std()
        for exposure, offset in ((0.5, 0), (1.0, 2), (1.6, 4)):
            cropped = detail[offset : offset + 100, 4 - offset : 104 - offset]
            pictures.append(np.clip(cropped * exposure, 0, 255).astype(np.uint8))
    return pictures


def test_pictures_of_one_object_at_other_exposures_are_alike() -> None:
    pairs = {(first, second) for first, second in alike_pictures(objects())}
    expected = {(3 * number + one, 3 * number + two) for number in range(4) for one, two in ((0, 1), (0, 2), (1, 2))}
    assert pairs == expected


def test_pictures_that_are_alike_stay_together_when_asked(tmp_path: Path) -> None:
    for number, image in enumerate(objects()):
        folder = tmp_path / "pictures" / ("free" if number < 6 else "dent")
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{number:02}.png"), image)
    data = make_from_folders(tmp_path / "d", FolderPlan("tiny", tmp_path / "pictures", (50, 50, 0), grouping="alike"))
    assert len(np.unique(data.groups)) == 4
    assert all(len(set(data.splits[data.groups == group].tolist())) == 1 for group in range(4))


def test_the_class_that_passes_is_said_or_that_of_the_table_and_must_be_there(source: Path, tmp_path: Path) -> None:
    said = make_from_folders(tmp_path / "a", FolderPlan("tiny", source, passing="free"))
    assert said.manifest.passing == "free"
    usual = make_from_folders(tmp_path / "b", FolderPlan("tiny", source, usual_passing="dent"))
    assert usual.manifest.passing == "dent"
    nobody = make_from_folders(tmp_path / "c", FolderPlan("tiny", source, usual_passing="defect_free"))
    assert nobody.manifest.passing is None
    with pytest.raises(DatasetError, match="--passing good: it is none of the classes crack, dent, free") as caught:
        make_from_folders(tmp_path / "d", FolderPlan("tiny", source, passing="good"))
    assert caught.value.code == "dataset.bad_choice"


def test_folders_given_together_are_shared_out_together(source: Path, tmp_path: Path) -> None:
    for name in CLASSES:
        (tmp_path / "more" / name).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "more" / name / "0.png"), picture(1000 + CLASSES.index(name)))
    (tmp_path / "more" / "notes.txt").write_text("no picture")
    plan = FolderPlan("tiny", source, (100, 0, 0), also=(tmp_path / "more",))
    data = make_from_folders(tmp_path / "d", plan)
    assert len(data.images) == 33
    assert "more/crack/0.png" in [file.path for file in data.manifest.files]
    assert [(one.kind, one.name, one.taken, one.left_out) for one in data.manifest.sources] == [
        ("class_folders", "pictures", 30, {}), ("class_folders", "more", 3, {"no picture": 1}),
    ]  # fmt: skip


def test_a_folder_that_is_called_otherwise_where_it_judges_is_refused(source: Path, tmp_path: Path) -> None:
    for name in ("crack", "dents", "free"):
        (tmp_path / "test" / name).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "test" / name / "0.png"), picture(2000 + ord(name[0]) + len(name)))
    with pytest.raises(DatasetError) as caught:
        make_from_folders(tmp_path / "d", FolderPlan("tiny", source, test=(tmp_path / "test",)))
    assert "nothing trains on dents; what trains is called crack, dent, free" in caught.value.detail
    assert not (tmp_path / "d").exists()
    named = FolderPlan("tiny", source, test=(tmp_path / "test",), classes=(*CLASSES, "dents"))
    assert make_from_folders(tmp_path / "d", named).classes == (*CLASSES, "dents")


def test_each_picture_is_a_part_of_its_own(source: Path, tmp_path: Path) -> None:
    data = make_from_folders(tmp_path / "d", FolderPlan("tiny", source))
    assert data.parts.tolist() == list(range(30))
    assert data.part_labels.tolist() == data.labels.tolist()
