"""`station label set`: what people say of parts is taken, or refused with clear words and nothing written."""

import getpass
import hashlib
import re
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models.errors import LabelError
from station.labels import saying
from station.labels.label import Box, Patch
from station.labels.subjects import RecordedPart, read_scan_file
from tests.labelling import COLUMNS, Station
from tests.lines import LINES_PER_TURN, PATCHES_PER_PART
from tests.other_users import needs_root
from tests.record_samples import PART_TYPE
from tests.turned import GEOMETRY

LAST = PATCHES_PER_PART - 1
HALF = """[part_types.HALF.geometry]
lines_per_turn = 3584
lines_per_block = 448
patch_px = 128
patches_per_strip = 2

"""


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Station:
    return Station.at(tmp_path_factory.mktemp("records") / "data")


@pytest.fixture
def station(inspected: Station, tmp_path: Path) -> Station:
    return inspected.copied(tmp_path / "data")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "scan.png"
    cv2.imwrite(str(path), np.random.default_rng(1).integers(0, 255, (LINES_PER_TURN, 64), np.uint8))
    return path


def records_of(folder: Path) -> list[Any]:
    with closing(sqlite3.connect(folder / "records.sqlite")) as connection:
        return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("inspections", "judgements")]  # noqa: S608


# ---------------------------------------------------------------------- said


def test_a_part_is_labelled_by_its_whole_id_or_its_unique_beginning(station: Station) -> None:
    said = station.done("set", station.archived, "--class", "scratches", "--by", "ada", "--note", "seen [by] lamp")
    assert said == f"{station.archived}, part: scratches, by ada\n"
    common = len(station.archived) - 7
    assert station.archived[:common] == station.in_work[:common]
    assert station.refused("set", station.archived[:common], "--class", "pits").code == "record.unknown"
    (row,) = station.asked("list")
    assert {key: row[key] for key in ("inspection_id", "level", "class", "who", "source", "note")} == {
        "inspection_id": station.archived, "level": "part", "class": "scratches", "who": "ada", "source": "person",
        "note": "seen [by] lamp",
    }  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", row["at"])


def test_the_records_stay_as_they_are(station: Station) -> None:
    before = records_of(station.folder)
    station.done("set", station.archived, "--class", "scratches")
    assert records_of(station.folder) == before


def test_who_says_nothing_else_is_the_user(station: Station) -> None:
    station.done("set", station.in_work, "--class", "cannot_be_judged")
    assert station.asked("list")[0]["who"] == getpass.getuser()


def test_a_user_without_a_name_is_asked_for_one(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert "--by" in station.refused("set", station.archived, "--class", "pits").detail
    station.done("set", station.archived, "--class", "pits", "--by", "ada")


def test_a_patch_is_labelled_with_the_geometry_that_it_is_of(station: Station) -> None:
    station.done("set", station.unarchived, "--class", "other_defect", "--patch", LAST, "--source", "audit")
    (row,) = station.asked("list")
    assert (row["level"], row["patch"], row["source"]) == ("patch", LAST, "audit")
    assert row["geometry"] == {
        "lines_per_turn": GEOMETRY.lines_per_turn, "lines_per_block": GEOMETRY.lines_per_block,
        "patch_px": GEOMETRY.patch_px, "patches_per_strip": GEOMETRY.patches_per_strip,
    }  # fmt: skip


def test_a_box_that_lies_in_the_archived_scan_is_labelled(station: Station) -> None:
    station.done("set", station.archived, "--class", "pits", "--box", f"{LINES_PER_TURN - 1},{COLUMNS - 2},1,2")
    assert station.asked("list")[0]["box"] == {
        "line": LINES_PER_TURN - 1,
        "column": COLUMNS - 2,
        "height": 1,
        "width": 2,
    }


def test_a_file_is_labelled_as_what_is_in_it_wherever_it_lies(station: Station, picture: Path) -> None:
    digest = hashlib.sha256(picture.read_bytes()).hexdigest()
    for more in ((), ("--patch", 0), ("--box", "0,0,9,9")):
        station.done("set", "--scan", picture, "--class", "pits", "--by", "ada", *more)
    rows = station.asked("list")
    assert {(row["scan_sha256"], row["file"], row["inspection_id"]) for row in rows} == {(digest, str(picture), None)}
    assert [row["level"] for row in rows] == ["part", "patch", "box"]
    moved = picture.rename(picture.with_name("moved.png"))
    assert len(station.asked("show", "--scan", moved)["labels"]) == 3


def test_a_file_is_labelled_where_no_station_has_ever_been(tmp_path: Path, picture: Path) -> None:
    nowhere = Station(tmp_path / "new" / "data", "", "", "")
    assert "no labels" in nowhere.done("list")
    nowhere.done("set", "--scan", picture, "--class", "pits")
    assert len(nowhere.asked("list")) == 1
    assert sorted(path.name for path in nowhere.folder.iterdir() if path.suffix == ".db") == ["labels.db"]
    assert nowhere.refused("set", "2026", "--class", "pits").code == "record.unknown"


def test_who_contradicts_is_told_of_it(station: Station) -> None:
    station.done("set", station.archived, "--class", "pits", "--by", "ada")
    assert "But ada says pits." in station.done("set", station.archived, "--class", "scratches", "--by", "bob")
    assert "But" not in station.done("set", station.archived, "--class", "pits", "--by", "bob")


# ---------------------------------------------------------------------- refused

Words = Callable[[Station], list[object]]

REFUSED: dict[str, tuple[Words, str, str]] = {
    "no such inspection": (lambda _: ["1999", "--class", "pits"], "record.unknown", "no inspection's id begins with"),
    "no such class": (
        lambda at: [at.archived, "--class", "rust"], "label.unknown_class",
        "are defect_free, imprinted, pits, roll_marks, scratches; beside them other_defect, cannot_be_judged",
    ),
    "review is no class": (lambda at: [at.archived, "--class", "review"], "label.unknown_class", "no class 'review'"),
    "patch too far": (
        lambda at: [at.archived, "--class", "pits", "--patch", LAST + 1], "label.outside",
        f"there is no patch {LAST + 1}: they are 0 to {LAST} ({GEOMETRY})",
    ),
    "patch before the first": (
        lambda at: [at.archived, "--class", "pits", "--patch", -1], "label.outside", "there is no patch -1",
    ),
    "patch of what was not scanned": (
        lambda at: [at.in_work, "--class", "pits", "--patch", 0], "label.bad_scan", "no scan of it was judged",
    ),
    "box too far down": (
        lambda at: [at.archived, "--class", "pits", "--box", f"{LINES_PER_TURN},0,1,1"], "label.outside",
        f"the scan has {LINES_PER_TURN} lines, {COLUMNS} columns",
    ),
    "box too far right": (
        lambda at: [at.archived, "--class", "pits", "--box", f"0,{COLUMNS - 1},1,2"], "label.outside", "480 columns",
    ),
    "box without a scan": (
        lambda at: [at.unarchived, "--class", "pits", "--box", "0,0,1,1"], "label.bad_scan", "it was never archived",
    ),
    "box of three": (lambda at: [at.archived, "--class", "pits", "--box", "0,0,1"], "config.bad_option", "--box 0,0,1"),
    "box of words": (lambda at: [at.archived, "--class", "pits", "--box", "a,b,c,d"], "config.bad_option", "in px"),
    "box of nothing": (lambda at: [at.archived, "--class", "pits", "--box", "0,0,0,1"], "config.bad_option", "in px"),
    "two places": (
        lambda at: [at.archived, "--class", "pits", "--box", "0,0,1,1", "--patch", 1], "config.bad_option", "not both",
    ),
    "no subject": (lambda _: ["--class", "pits"], "config.bad_option", "give an inspection or --scan FILE"),
    "two subjects": (
        lambda at: [at.archived, "--scan", at.scan, "--class", "pits"], "config.bad_option", "one of the two",
    ),
    "a type where it is recorded": (
        lambda at: [at.archived, "--type", "SMH-385", "--class", "pits"], "config.bad_option", "is recorded",
    ),
    "a type that there is not": (
        lambda at: ["--scan", at.scan, "--type", "X", "--class", "pits"], "config.bad_option", "no part type 'X'",
    ),
    "no file": (
        lambda at: ["--scan", at.folder / "none.png", "--class", "pits"], "label.bad_scan", "No such file or directory",
    ),
    "a folder": (lambda at: ["--scan", at.folder, "--class", "pits"], "label.bad_scan", "Is a directory"),
    "no image": (
        lambda at: ["--scan", at.folder / "records.sqlite", "--class", "pits"], "label.bad_scan", "no PNG, TIFF or BMP",
    ),
    "nothing to withdraw": (
        lambda at: [at.archived, "--class", "withdrawn", "--by", "ada"], "label.nothing_said", "that ada said",
    ),
    "no name": (lambda at: [at.archived, "--class", "pits", "--by", " "], "config.bad_option", "no name of a person"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_labelled_is_refused_with_its_reason_and_nothing_is_written(station: Station, name: str) -> None:
    words, code, detail = REFUSED[name]
    error = station.refused("set", *words(station))
    assert error.code == code, str(error)
    assert detail in error.detail
    assert not (station.folder / "labels.db").exists()


def test_a_scan_that_is_cut_off_is_refused(station: Station, picture: Path) -> None:
    picture.write_bytes(picture.read_bytes()[:-2000])
    assert station.refused("set", "--scan", picture, "--class", "pits").code == "label.bad_scan"


def test_patches_of_a_file_whose_lines_are_no_turn_are_refused_and_the_part_as_a_whole_is_not(
    station: Station, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "short.png"), np.zeros((100, 64), np.uint8))
    words = ("set", "--scan", tmp_path / "short.png", "--class", "pits")
    error = station.refused(*words, "--patch", 0)
    assert error.code == "label.other_geometry"
    assert f"has 100 lines; configured are: {GEOMETRY}" in error.detail
    station.done(*words)


def test_a_file_that_may_be_of_two_geometries_needs_its_type(station: Station, picture: Path, tmp_path: Path) -> None:
    shipped = (Path(__file__).parents[2] / "config" / "simulate.toml").read_text(encoding="utf-8")
    two = re.sub(
        r"(?ms)^\[part_types\.([^.\]]+)\].*?(?=^\[)",
        lambda found: found[0] + (found[0].replace(found[1], "HALF") + HALF if "HALF" not in found.string else ""),
        shipped, count=1,
    )  # fmt: skip
    config = tmp_path / "two.toml"
    config.write_text(re.sub(r"(?m)(?<=HALF\]\n)code = \d+", "code = 99", two), encoding="utf-8")
    words = ("set", "--scan", picture, "--class", "pits", "--patch", 1, "--config", config)
    error = station.refused(*words)
    assert error.code == "label.other_geometry", str(error)
    assert "say which type it is of" in error.detail
    station.done(*words, "--type", "HALF")
    assert station.asked("list")[0]["geometry"]["patch_px"] == 128


def test_a_scan_that_is_not_as_it_was_archived_takes_no_box_and_is_told_on_show(station: Station) -> None:
    box = ("set", station.archived, "--class", "pits", "--box", "0,0,9,9", "--by", "ada")
    station.done(*box)
    cv2.imwrite(str(station.scan), np.zeros((LINES_PER_TURN, COLUMNS), np.uint8))
    error = station.refused(*box)
    assert (error.code, "its hash differs" in error.detail) == ("label.bad_scan", True)
    assert "its hash differs" in station.done("show", station.archived)
    station.scan.unlink()
    assert "cannot be read" in station.asked("show", station.archived)["trouble"]


def test_a_clock_that_went_back_is_told_and_the_last_word_stays(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.done("set", station.archived, "--class", "pits", "--by", "ada")
    (row,) = station.asked("list")
    monkeypatch.setattr("station.cli.label.stamp", lambda _now: "2001-01-01T00:00:00.000Z")
    error = station.refused("set", station.archived, "--class", "scratches", "--by", "ada")
    assert error.code == "label.said_later"
    assert "ada said pits" in error.detail
    assert [one["class"] for one in station.asked("list", "--history")] == [row["class"]]


@needs_root
def test_a_read_only_data_folder_is_read_and_takes_no_label(station: Station) -> None:
    station.done("set", station.archived, "--class", "pits")
    subprocess.run(["mount", "--bind", station.folder, station.folder], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", station.folder], check=True)
        assert station.refused("set", station.archived, "--class", "pits").code == "label.disk_failed"
        assert len(station.asked("list")) == len(station.asked("show", station.archived)["labels"]) == 1
    finally:
        subprocess.run(["umount", station.folder], check=True)


# ---------------------------------------------------------------------- labels from elsewhere


def test_a_label_from_elsewhere_fits_where_geometry_and_scan_do(picture: Path) -> None:
    scan = read_scan_file(picture, [PART_TYPE])
    saying.require_patch_fits(scan, Patch(3, GEOMETRY))
    saying.require_box_fits(scan, Box(0, 0, LINES_PER_TURN, 64))
    other = replace(GEOMETRY, patch_px=128)
    with pytest.raises(LabelError) as caught:
        saying.require_patch_fits(scan, Patch(3, other))
    assert caught.value.code == "label.other_geometry"
    assert caught.value.detail.endswith(f"the label is of a patch of {other}; the part is cut by {GEOMETRY}")
    with pytest.raises(LabelError, match="3584 lines, 64 columns"):
        saying.require_box_fits(scan, Box(0, 1, 1, 64))


@pytest.mark.parametrize(
    ("state", "detail", "told"),
    [
        (None, None, "it was never archived"),
        ("pending", "", "it is not on the disk yet"),
        ("expired", "removed 2026-05-01T06:00:00.000Z", "expired: removed 2026-05-01T06:00:00.000Z"),
        ("failed", "no space left", "failed: no space left"),
    ],
)
def test_why_the_archive_has_no_scan_is_told(tmp_path: Path, state: str | None, detail: str | None, told: str) -> None:
    scan = {"scan_file": None, "scan_state": state, "scan_archive_detail": detail}
    with pytest.raises(LabelError) as caught:
        RecordedPart({"inspection_id": "20260501", **scan}, tmp_path).size()
    assert caught.value.detail == f"inspection 20260501: the archive has no scan of it: {told}"


def test_a_record_that_is_older_than_geometries_has_that_of_housings(tmp_path: Path) -> None:
    fields = set(PART_TYPE.__dataclass_fields__) - {"geometry", "features"}
    kind = {name: getattr(PART_TYPE, name) for name in fields}
    record = {"inspection_id": "20260501", "lines": {}, "part_type_settings": kind}
    assert RecordedPart(record, tmp_path).geometry() == GEOMETRY
