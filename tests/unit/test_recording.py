"""Recordings: what is usable is read in order, and each thing that is wrong is told in its own words."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from station.core.errors import RecordingError
from station.core.recording import Recording, read_recording
from tests.unit.housings import CLASSES

TYPES = frozenset({"smh_385", "smh_570"})


# ---------------------------------------------------------------------- a recording with its list


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "recording"
    made.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        (made / name).write_bytes(b"not looked into")
    return made


def entry(**changes: object) -> str:
    return json.dumps({"file": "a.png", "part_id": "A-1", "part_type": "smh_385", "label": "pits"} | changes)


def test_a_part_of_none_of_the_classes_is_labelled_so(folder: Path) -> None:
    recording = read(folder, entry(label="unknown"))
    assert (recording.problems, recording.scans[0].label) == ((), "unknown")


def without(key: str) -> str:
    return json.dumps({name: value for name, value in json.loads(entry()).items() if name != key})


def read(folder: Path, *lines: str | bytes) -> Recording:
    content = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    (folder / "recording.jsonl").write_bytes(content)
    return read_recording(folder, TYPES, CLASSES)


def test_the_list_gives_the_scans_in_its_order(folder: Path) -> None:
    recording = read(
        folder,
        entry(file="c.png", part_id="C"),
        "",
        entry(file="a.png", part_id="A", part_type="smh_570", label="defect_free"),
        entry(file="a.png", part_id="unknown", part_type=None, label=None),
        "",
    )
    assert recording.problems == ()
    assert [(scan.file, scan.part_id, scan.part_type, scan.label) for scan in recording.scans] == [
        (folder / "c.png", "C", "smh_385", "pits"),
        (folder / "a.png", "A", "smh_570", "defect_free"),
        (folder / "a.png", "unknown", None, None),
    ]


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("{", "recording.bad_line", "not a JSON object"),
        ("[1]", "recording.bad_line", "not a JSON object"),
        (b'{"file": "\xff"}', "recording.bad_line", "not a JSON object"),
        ("[" * 5000, "recording.bad_line", "not a JSON object"),
        (without("file"), "recording.bad_line", "key 'file' is missing"),
        (without("part_id"), "recording.bad_line", "key 'part_id' is missing"),
        (without("part_type"), "recording.bad_line", "key 'part_type' is missing"),
        (without("label"), "recording.bad_line", "key 'label' is missing"),
        (
            entry(colour="red"),
            "recording.bad_line",
            "unknown key 'colour', allowed are file, part_id, part_type, label",
        ),
        (entry(part_id=5), "recording.bad_line", "'part_id': Input should be a valid string"),
        (entry(label="rust"), "recording.bad_line", "unknown label 'rust', allowed are defect_free, imprinted, pits"),
        (entry(label="review"), "recording.bad_line", "unknown label 'review'"),
        (entry(part_type="smh_1"), "recording.bad_line", "unknown part_type 'smh_1', configured are smh_385, smh_570"),
        (entry(part_id=""), "recording.bad_line", "1 to 16 printable ASCII characters"),
        (entry(part_id="   "), "recording.bad_line", "not only blanks"),
        (entry(part_id=" " * 17), "recording.bad_line", "not only blanks"),
        (entry(part_id="A\u00a0"), "recording.bad_line", "1 to 16 printable ASCII characters"),
        (entry(part_id=" A-0  "), "recording.duplicate_part", "part_id 'A-0' is that of line 1"),
        (entry(part_id="x" * 17), "recording.bad_line", "1 to 16 printable ASCII characters"),
        (entry(part_id="tab\t"), "recording.bad_line", "1 to 16 printable ASCII characters"),
        (entry(part_id="Ä-1"), "recording.bad_line", "1 to 16 printable ASCII characters"),
        (entry(part_id="A-0"), "recording.duplicate_part", "part_id 'A-0' is that of line 1"),
        (entry(file="none.png"), "recording.bad_line", "there is no file 'none.png'"),
        (entry(file=""), "recording.bad_line", "there is no file ''"),
        (entry(file="a\0.png"), "recording.bad_line", "is no usable path"),
        (entry(file="n" * 5000), "recording.bad_line", "is no usable path"),
        (entry(file="../outside.png"), "recording.path_outside", "'../outside.png' leads out of"),
        (entry(file="/etc/hostname"), "recording.path_outside", "'/etc/hostname' leads out of"),
        (entry(file="link.png"), "recording.path_outside", "'link.png' leads out of"),
        (entry(file="up/outside.png"), "recording.path_outside", "'up/outside.png' leads out of"),
    ],
)
def test_a_bad_line_is_told_with_its_number_and_the_rest_is_read(
    line: str | bytes, code: str, words: str, folder: Path
) -> None:
    outside = folder.parent / "outside.png"
    outside.write_bytes(b"not looked into")
    (folder / "link.png").symlink_to(outside)
    (folder / "up").symlink_to(folder.parent)
    recording = read(folder, entry(part_id="A-0"), line, entry(file="b.png", part_id="A-2"))
    assert [scan.part_id for scan in recording.scans] == ["A-0", "A-2"]
    (problem,) = recording.problems
    assert problem.code == code
    assert problem.detail.startswith("recording.jsonl line 2: ")
    assert words in problem.detail


def test_blanks_at_the_ends_of_an_id_are_no_part_of_it(folder: Path) -> None:
    recording = read(folder, entry(part_id=" A B             "), entry(file="b.png", part_id="B"))
    assert [scan.part_id for scan in recording.scans] == ["A B", "B"]


def test_a_part_id_of_a_line_that_was_left_out_may_come_again(folder: Path) -> None:
    recording = read(folder, entry(label="rust"), entry(file="b.png"))
    assert [scan.file.name for scan in recording.scans] == ["b.png"]


def test_a_link_within_the_folder_is_allowed(folder: Path) -> None:
    (folder / "again.png").symlink_to(folder / "a.png")
    assert read(folder, entry(file="again.png")).problems == ()


def test_a_list_of_which_nothing_can_be_used_has_only_problems(folder: Path) -> None:
    recording = read(folder, "{", "}")
    assert recording.scans == ()
    assert [problem.code for problem in recording.problems] == ["recording.bad_line"] * 2


# ---------------------------------------------------------------------- a folder of images


def test_file_names_of_blanks_become_ids_that_a_plc_can_announce(tmp_path: Path) -> None:
    for name in ("   .png", "    .png", " a.png", "fifteen letters b.png", "fifteen letters c.png"):
        (tmp_path / name).write_bytes(b"")
    ids = [scan.part_id for scan in read_recording(tmp_path, TYPES).scans]
    assert ids == ["scan", "scan~2", "a", "fifteen letters", "fifteen letter~2"]


def test_without_a_list_the_images_come_in_the_order_of_their_names(folder: Path) -> None:
    (folder / "B.TIF").write_bytes(b"")
    (folder / "notes.txt").write_text("no image")
    (folder / "masks").mkdir()
    recording = read_recording(folder, TYPES, CLASSES)
    assert [(scan.file.name, scan.part_id) for scan in recording.scans] == [
        ("B.TIF", "B"),
        ("a.png", "a"),
        ("b.png", "b"),
        ("c.png", "c"),
    ]
    assert {(scan.part_type, scan.label) for scan in recording.scans} == {(None, None)}
    assert recording.problems == ()


def test_part_ids_from_names_are_short_ascii_and_unique(tmp_path: Path) -> None:
    for name in ("housing-of-the-line-1.png", "housing-of-the-line-2.png", "housing-of-the-line-3.bmp", "Gehäuse.png"):
        (tmp_path / name).write_bytes(b"")
    ids = [scan.part_id for scan in read_recording(tmp_path, TYPES).scans]
    assert ids == ["Geh_use", "housing-of-the-l", "housing-of-the~2", "housing-of-the~3"]


def test_an_image_of_another_kind_and_a_link_to_the_outside_are_told(folder: Path) -> None:
    outside = folder.parent / "outside.png"
    outside.write_bytes(b"")
    (folder / "d.jpg").write_bytes(b"")
    (folder / "e.png").symlink_to(outside)
    recording = read_recording(folder, TYPES, CLASSES)
    assert len(recording.scans) == 3
    assert [problem.code for problem in recording.problems] == ["recording.bad_image", "recording.path_outside"]
    assert recording.problems[0].detail == "d.jpg: allowed are PNG, TIFF and BMP"


def test_no_file_that_may_be_a_scan_is_left_out_without_a_word(folder: Path) -> None:
    png = b"\x89PNG\r\n\x1a\n"
    for name, content in (
        ("d", png), ("e.png.bak", png), ("f.scan", b"II*\0"), ("g.data", b"no image"), (".hidden", png), ("h", b""),
    ):  # fmt: skip
        (folder / name).write_bytes(content)
    recording = read_recording(folder, TYPES, CLASSES)
    assert [scan.file.name for scan in recording.scans] == ["a.png", "b.png", "c.png", "d", "h"]
    told = "it begins as an image; end its name with .bmp, .png, .tif, .tiff"
    assert [problem.detail for problem in recording.problems] == [
        f"{name}: {told}" for name in (".hidden", "e.png.bak", "f.scan")
    ]


def no_folder(folder: Path) -> Path:
    return folder / "none"


def a_file(folder: Path) -> Path:
    return folder / "a.png"


def an_empty_folder(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def an_empty_list(folder: Path) -> Path:
    (folder / "recording.jsonl").write_text("\n\n")
    return folder


def a_folder_in_place_of_the_list(folder: Path) -> Path:
    (folder / "recording.jsonl").mkdir()
    return folder


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (no_folder, "no such folder"),
        (a_file, "no such folder"),
        (an_empty_folder, "no image (.bmp, .png, .tif, .tiff) in it"),
        (an_empty_list, "no line in recording.jsonl"),
    ],
)
def test_what_is_no_recording_is_refused(make: Callable[[Path], Path], words: str, folder: Path) -> None:
    with pytest.raises(RecordingError) as refused:
        read_recording(make(folder), TYPES)
    assert refused.value.code == "recording.not_found"
    assert words in refused.value.detail


def test_a_list_that_cannot_be_read_is_no_missing_recording(folder: Path) -> None:
    with pytest.raises(RecordingError, match="Is a directory") as refused:
        read_recording(a_folder_in_place_of_the_list(folder), TYPES)
    assert refused.value.code == "config.file_failed"
