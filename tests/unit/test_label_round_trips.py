"""Labels that were written are read again as the same; what a format cannot hold is told, one by one."""

from dataclasses import replace
from pathlib import Path

import pytest

from models.errors import LabelError
from station.labels.formats.entry import Format
from station.labels.formats.laying_out import lay_out, not_held, write_out
from station.labels.formats.pictures import Pictures
from station.labels.formats.registry import FORMATS
from station.labels.label import Box, Label, Mask, Patch, ScanSubject, Source, WholePart
from tests.unit.label_files import AT, CLASSES, GEOMETRY, archive, make_scan, read

WRITTEN = [name for name, form in FORMATS.items() if form.write]


@pytest.fixture
def labels(tmp_path: Path) -> list[Label]:
    one = ScanSubject(make_scan(tmp_path / "scans" / "a" / "1.png", 1), "1.png")
    two = ScanSubject(make_scan(tmp_path / "scans" / "b" / "ä 2.png", 2), "ä 2.png")
    note = '=1+1, "quoted"\nsecond line\u2028third; ä'
    return [
        Label(one, WholePart(), "scratch", "anna", AT, Source.GOLDEN, note),
        Label(one, Patch(3, GEOMETRY), "pit", "anna", AT),
        Label(one, Box(0, 0, 1, 1), "pit", "anna", AT),
        Label(one, Box(10, 7, 13, 11), "scratch", "anna", AT, Source.AUDIT),
        Label(one, Box(63, 47, 1, 1), "cannot_be_judged", "anna", AT),
        Label(one, Mask("ab" * 32), "scratch", "anna", AT),
        Label(two, WholePart(), "other_defect", "anna", AT, note="'"),
        Label(two, Box(0, 0, 64, 48), "other_defect", "anna", AT, note="'=2"),
    ]


def plain(label: Label, form: Format) -> Label:
    """What comes back of a label: what the format does not hold is the import's."""
    kept = label if "source" in form.holds else replace(label, source=Source.IMPORT)
    return kept if "note" in form.holds else replace(kept, note="")


@pytest.mark.parametrize("name", WRITTEN)
def test_what_was_written_is_read_as_the_same_labels(name: str, labels: list[Label], tmp_path: Path) -> None:
    form, scans = FORMATS[name], tmp_path / "scans"
    laid = lay_out(labels, form, CLASSES, Pictures(scans), archive(tmp_path))
    write_out(tmp_path / "out" / "labels", form, laid.sheet)
    held = [label for label in labels if label.region.level in form.levels]
    assert set(read(name, tmp_path / "out" / "labels", scans)) == {plain(label, form) for label in held}
    assert len(laid.left_out) == len(labels) - len(held)
    for label in labels:
        told = [line for line in laid.left_out if f"{label.region}, {label.class_name}" in line]
        assert len(told) == (label not in held), label


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_the_complete_formats_hold_everything(name: str, labels: list[Label], tmp_path: Path) -> None:
    form = FORMATS[name]
    everything = [replace(label, who=who) for label in labels for who in ("anna", "Jörg, Schicht 2")]
    laid = lay_out(everything, form, CLASSES, Pictures(None), archive(tmp_path))
    assert laid.left_out == ()
    assert list(not_held(form)) == []
    write_out(tmp_path / "labels", form, laid.sheet)
    came_back = read(name, tmp_path / "labels", tmp_path / "scans")
    assert set(came_back) == set(everything)
    assert {label.subject.file for label in came_back if isinstance(label.subject, ScanSubject)} == {"1.png", "ä 2.png"}


@pytest.mark.parametrize("name", sorted(set(WRITTEN) - {"csv", "jsonl"}))
def test_where_people_differ_a_format_without_people_says_nothing(
    name: str, labels: list[Label], tmp_path: Path
) -> None:
    form = FORMATS[name]
    held = [label for label in labels if label.region.level in form.levels]
    others = [replace(held[0], who="bert", class_name="defect_free"), replace(held[1], who="bert")]
    laid = lay_out([*held, *others], form, CLASSES, Pictures(tmp_path / "scans"), archive(tmp_path))
    assert [line.rpartition(": ")[2] for line in laid.left_out] == ["people differ"] * 2
    assert {row.label for row in laid.sheet.rows} == set(held[1:])
    assert list(not_held(form)) == ["note", "source", "when", "who"]


def test_a_scan_that_is_gone_or_changed_is_told_with_its_labels(labels: list[Label], tmp_path: Path) -> None:
    (tmp_path / "scans" / "a" / "1.png").unlink()
    laid = lay_out(labels, FORMATS["cvat"], CLASSES, Pictures(tmp_path / "scans"), archive(tmp_path))
    assert sum("its scan is not there" in line for line in laid.left_out) == 4
    assert {row.label.subject for row in laid.sheet.rows} == {labels[-1].subject}


@pytest.mark.parametrize("name", ["class-folders", "cvat", "label-studio"])
def test_two_scans_of_one_name_stay_two(name: str, tmp_path: Path) -> None:
    scans, form = tmp_path / "scans", FORMATS[name]
    labels = [
        Label(ScanSubject(make_scan(scans / str(seed) / "scan.png", seed)), WholePart(), "pit", "anna", AT)
        for seed in range(2)
    ]
    sheet = lay_out(labels, form, CLASSES, Pictures(scans), archive(tmp_path)).sheet
    write_out(tmp_path / "out", form, sheet)
    assert set(read(name, tmp_path / "out", scans)) == {replace(one, source=Source.IMPORT) for one in labels}


def test_two_pictures_that_would_have_one_text_are_not_written(tmp_path: Path) -> None:
    labels = [
        Label(ScanSubject(make_scan(tmp_path / "scans" / f"scan.{ending}", 1)), Box(0, 0, 1, 1), "pit", "anna", AT)
        for ending in ("png", "bmp")
    ]
    sheet = lay_out(labels, FORMATS["yolo"], CLASSES, Pictures(tmp_path / "scans"), archive(tmp_path)).sheet
    with pytest.raises(LabelError, match=r"two pictures would have the text labels/scan\.txt"):
        write_out(tmp_path / "out", FORMATS["yolo"], sheet)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", WRITTEN)
def test_nothing_is_overwritten(name: str, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    with pytest.raises(LabelError, match="nothing was overwritten"):
        write_out(tmp_path / "there", FORMATS[name], lay_out([], FORMATS[name], CLASSES, Pictures(None), archive(
            tmp_path)).sheet)  # fmt: skip
    assert (tmp_path / "there").read_text() == "mine"


def test_a_name_that_a_format_cannot_write_leaves_no_file(labels: list[Label], tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    (scans / "a" / "1.png").rename(scans / "a" / "1\x01.png")
    laid = lay_out(labels, FORMATS["cvat"], CLASSES, Pictures(scans), archive(tmp_path))
    with pytest.raises(LabelError, match="XML has no character"):
        write_out(tmp_path / "labels.xml", FORMATS["cvat"], laid.sheet)
    assert not list(tmp_path.glob("*labels.xml*"))
