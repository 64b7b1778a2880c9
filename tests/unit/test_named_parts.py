"""Parts whose class is known without masks: what counts, what is a defect without a name, and what is left out."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest

from models.dataset.named import NamedScan, read_known, require_all
from models.dataset.scans import LabelledScan
from station.core.errors import RecordingError
from tests.unit.grey_recordings import forget_masks, make_recording, relabel
from tests.unit.housings import LINES, TABLE, S

PARTS = [(S.DEFECT_FREE, 60), (S.PITS, 140), (S.SCRATCHES, 220), (S.DEFECT_FREE, 61)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return forget_masks(make_recording(tmp_path / "parts", PARTS))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def saying(words: Mapping[Path, tuple[str, ...]]) -> Callable[[AbstractSet[str]], Mapping[str, tuple[str, ...]]]:
    """People who say this of scans."""
    said = {sha256(path): names for path, names in words.items()}
    return lambda hashes: {key: names for key, names in said.items() if key in hashes}


def classes(folder: Path, **how: object) -> dict[str, str]:
    known = read_known(folder, TABLE, LINES, **how)  # type: ignore[arg-type]
    return {scan.part_id: scan.surface.name for scan in known.scans}


def reasons(folder: Path, **how: object) -> dict[str, str]:
    return {one.part_id: one.why for one in read_known(folder, TABLE, LINES, **how).left_out}  # type: ignore[arg-type]


def test_a_recording_with_its_truth_is_read_as_ever_and_one_without_by_its_classes(tmp_path: Path) -> None:
    folder = make_recording(tmp_path / "parts", PARTS)
    masked = read_known(folder, TABLE, LINES)
    assert masked.masked
    assert {type(scan) for scan in masked.scans} == {LabelledScan}
    assert masked.sha256 == sha256(folder / "truth.jsonl")
    named = read_known(forget_masks(folder), TABLE, LINES)
    assert (named.masked, named.left_out) == (False, ())
    assert {type(scan) for scan in named.scans} == {NamedScan}
    assert [(scan.part_id, scan.surface, scan.part_type) for scan in named.scans] == [
        (f"P{number}", surface.verdict, "smh_385") for number, (surface, _grey) in enumerate(PARTS)
    ]


def test_the_hash_of_what_is_known_changes_with_a_class_and_with_a_scan(folder: Path, tmp_path: Path) -> None:
    first = read_known(folder, TABLE, LINES).sha256
    assert read_known(folder, TABLE, LINES).sha256 == first
    other = make_recording(tmp_path / "other", [(S.DEFECT_FREE, 62), *PARTS[1:]])
    assert read_known(forget_masks(other), TABLE, LINES).sha256 != first
    assert read_known(relabel(folder, {"P0": "pits"}), TABLE, LINES).sha256 != first


@pytest.mark.parametrize("label", ["other_defect", "unknown", "rust"])
def test_a_label_that_is_no_configured_class_is_a_defect_of_none(folder: Path, label: str) -> None:
    known = read_known(relabel(folder, {"P1": label}), TABLE, LINES)
    part = known.scans[1]
    assert (part.surface.name, part.surface.is_defect, part.surface.passes) == (label, True, False)
    assert part.surface not in TABLE.surfaces
    assert known.left_out == ()


@pytest.mark.parametrize(
    ("label", "why"),
    [(None, "no_label"), ("cannot_be_judged", "cannot_be_judged"), ("review", "cannot_be_judged")],
)
def test_what_nobody_knows_is_left_out_by_name(folder: Path, label: str | None, why: str) -> None:
    relabel(folder, {"P1": label})
    assert reasons(folder) == {"P1": why}
    assert sorted(classes(folder)) == ["P0", "P2", "P3"]


def test_a_scan_that_is_there_twice_counts_once_and_with_two_classes_not_at_all(folder: Path) -> None:
    shutil.copy(folder / "P0.png", folder / "P3.png")
    assert reasons(folder) == {"P3": "same_scan"}
    relabel(folder, {"P3": "pits"})
    known = read_known(folder, TABLE, LINES)
    assert {str(one) for one in known.left_out} == {
        f"{part_id}: one scan bears two labels: P0 defect_free and P3 pits" for part_id in ("P0", "P3")
    }
    assert sorted(classes(folder)) == ["P1", "P2"]


def test_what_people_say_counts_where_the_list_says_nothing_and_a_contradiction_is_named(folder: Path) -> None:
    relabel(folder, {"P0": None, "P1": None})
    people = saying(
        {
            folder / "P0.png": ("imprinted",),
            folder / "P1.png": ("pits", "scratches"),
            folder / "P2.png": ("pits",),
            folder / "P3.png": ("defect_free",),
        }
    )
    assert classes(folder, people=people) == {"P0": "imprinted", "P3": "defect_free"}
    left_out = [str(one) for one in read_known(folder, TABLE, LINES, people).left_out]
    assert left_out == [
        "P1: people say pits and scratches",
        "P2: recording.jsonl says scratches, people say pits",
    ]


def test_where_people_are_asked_masks_are_left_aside_and_a_folder_without_a_list_will_do(tmp_path: Path) -> None:
    folder = make_recording(tmp_path / "parts", PARTS)
    assert not read_known(folder, TABLE, LINES, saying({})).masked
    archive = tmp_path / "archive" / "2026" / "11"
    archive.mkdir(parents=True)
    for name in ("P0.png", "P1.png"):
        shutil.copy(folder / name, archive / name)
    people = saying({folder / "P1.png": ("pits",)})
    assert classes(tmp_path / "archive", people=people) == {"2026/11/P1": "pits"}
    assert reasons(tmp_path / "archive", people=people) == {"2026/11/P0": "no_label"}


def unlist(folder: Path) -> None:
    (folder / "recording.jsonl").unlink()


def lose(folder: Path) -> None:
    (folder / "P2.png").unlink()


def forget(folder: Path) -> None:
    relabel(folder, dict.fromkeys(["P0", "P1", "P2", "P3"]))


def rename(folder: Path) -> None:
    relabel(folder, {"P0": "good", "P1": "bad", "P2": "bad", "P3": "good"})


@pytest.mark.parametrize(
    ("damage", "code", "words"),
    [
        (unlist, "recording.not_found", "there is no recording.jsonl"),
        (lose, "recording.bad_line", "there is no file 'P2.png'"),
        (forget, "recording.no_labels", "P0: nobody has said what it is; P1: nobody"),
        (rename, "recording.no_labels", "the labels are bad, good; .* has defect_free, imprinted"),
    ],
    ids=["no list", "missing scan", "no label at all", "another list of classes"],
)
def test_a_recording_of_which_nothing_is_known_is_refused(
    folder: Path, damage: Callable[[Path], None], code: str, words: str
) -> None:
    damage(folder)
    with pytest.raises(RecordingError, match=words) as caught:
        read_known(folder, TABLE, LINES)
    assert caught.value.code == code


def test_one_class_alone_is_no_hindrance(tmp_path: Path) -> None:
    folder = forget_masks(make_recording(tmp_path / "parts", [(S.PITS, 140), (S.PITS, 141)]))
    assert set(classes(folder).values()) == {"pits"}
    assert set(classes(relabel(folder, dict.fromkeys(["P0", "P1"], "other_defect"))).values()) == {"other_defect"}


def test_people_are_asked_of_a_folder_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"no scan \(.*\) below it"):
        read_known(tmp_path / "nowhere", TABLE, LINES, saying({}))


def test_golden_parts_must_all_have_a_class(folder: Path) -> None:
    known = read_known(folder, TABLE, LINES)
    assert require_all(known, folder) is known
    with pytest.raises(RecordingError, match="every part must have a class here; P1: it is labelled cannot_be_judged"):
        require_all(read_known(relabel(folder, {"P1": "cannot_be_judged"}), TABLE, LINES), folder)
