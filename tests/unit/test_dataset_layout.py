"""What lies in a folder of class folders: classes, splits, and what is left out by name."""

from pathlib import Path

import pytest

from models.dataset.layout import read_layout
from models.dataset.store import Split
from models.errors import DatasetError


def lay(folder: Path, *files: str) -> Path:
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(b"not looked into")
    return folder


def test_folders_are_classes(tmp_path: Path) -> None:
    layout = read_layout(lay(tmp_path, "dent/1.PNG", "dent/2.jpeg", "crack/1.tif", "Train car/1.png"))
    assert [(one.name, one.label, one.split) for one in layout.pictures] == [
        ("Train car/1.png", "Train car", None), ("crack/1.tif", "crack", None),
        ("dent/1.PNG", "dent", None), ("dent/2.jpeg", "dent", None),
    ]  # fmt: skip
    assert layout.classes == {"crack", "dent", "Train car"}
    assert layout.left_out == []


def test_what_is_no_picture_of_a_class_is_left_out_by_name(tmp_path: Path) -> None:
    layout = read_layout(
        lay(
            tmp_path, "dent/1.png", "crack/1.png", "crack/notes.txt", "crack/2.webp", "crack/deep/3.png",
            "crack/._1.png", "masks/crack/1.png", "ground_truth/crack/1.png", ".git/1.png", "__MACOSX/dent/._1.png",
            ".DS_Store", "loose.png", "README.md", "dent/Thumbs.db",
        )
    )  # fmt: skip
    assert layout.classes == {"crack", "dent"}
    assert [one.name for one in layout.pictures] == ["crack/1.png", "dent/1.png"]
    assert {line.split(": ")[0] for line in layout.left_out} == {
        ".DS_Store", ".git", "README.md", "__MACOSX", "crack/._1.png", "crack/2.webp", "crack/deep", "crack/notes.txt",
        "dent/Thumbs.db", "ground_truth", "loose.png", "masks",
    }  # fmt: skip
    assert "crack/deep: a folder in a class folder" in layout.left_out


def test_splits_that_somebody_made_are_kept(tmp_path: Path) -> None:
    layout = read_layout(
        lay(
            tmp_path,
            "train/good/1.png",
            "Valid/good/1.png",
            "test/good/1.png",
            "test/crack/1.png",
            "ground_truth/crack/1.png",
        )
    )
    assert layout.classes == {"good", "crack"}
    assert [(one.name, one.label, one.split) for one in layout.pictures] == [
        ("Valid/good/1.png", "good", Split.VALIDATION), ("test/crack/1.png", "crack", Split.TEST),
        ("test/good/1.png", "good", Split.TEST), ("train/good/1.png", "good", Split.TRAIN),
    ]  # fmt: skip
    assert layout.left_out == ["ground_truth: masks, no class, by its name"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["train/1.jpg", "train/2.jpg", "valid/3.jpg"], "train is a split by its name, and 2 pictures lie in no class"),
        (["train/a/1.png", "crack/1.png"], "train name splits, crack beside them do not"),
        (["images/1.png", "masks/1.png"], "images is no class by its name"),
        (["train/images/1.png", "train/labels/1.txt"], "images is no class by its name"),
    ],
)
def test_folders_that_are_neither_classes_nor_splits_are_refused(tmp_path: Path, files: list[str], words: str) -> None:
    with pytest.raises(DatasetError) as refused:
        read_layout(lay(tmp_path, *files))
    assert refused.value.code == "dataset.bad_source"
    assert words in refused.value.detail
