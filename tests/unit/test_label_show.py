"""`station label list`, `show` and `disagreements`: what was said, beside what was decided."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.labelling import Station
from tests.lines import LINES_PER_TURN


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


def test_the_list_has_what_each_person_says_now_and_the_history_everything(station: Station) -> None:
    for name in ("pits", "scratches"):
        station.done("set", station.archived, "--class", name, "--by", "ada")
    station.done("set", station.archived, "--class", "pits", "--by", "bob")
    assert [(row["who"], row["class"]) for row in station.asked("list")] == [("ada", "scratches"), ("bob", "pits")]
    assert [row["class"] for row in station.asked("list", "--history")] == ["pits", "scratches", "pits"]
    assert station.asked("list", "--class", "pits", "--by", "ada") == []


def test_what_was_withdrawn_is_history(station: Station) -> None:
    say = ("set", station.archived, "--by", "ada", "--class")
    station.done(*say, "pits")
    station.done(*say, "withdrawn")
    assert station.asked("list") == []
    assert station.refused(*say, "withdrawn").code == "label.nothing_said"
    shown = station.asked("show", station.archived)
    assert [(row["class"], row["counts"]) for row in shown["labels"]] == [("pits", False), ("withdrawn", False)]
    assert shown["findings"] == []
    station.done(*say, "scratches")
    assert [row["class"] for row in station.asked("list")] == ["scratches"]


def test_the_list_is_filtered(station: Station, picture: Path) -> None:
    station.done("set", station.archived, "--class", "pits", "--by", "ada", "--source", "golden")
    station.done("set", station.unarchived, "--class", "scratches", "--by", "bob")
    station.done("set", "--scan", picture, "--class", "pits", "--by", "cyd")
    digest = hashlib.sha256(picture.read_bytes()).hexdigest()
    for words, people in {
        (): "ada bob cyd",
        ("--class", "pits"): "ada cyd",
        ("--class", "pits", "--class", "scratches", "--by", "bob", "--by", "cyd"): "bob cyd",
        ("--source", "golden"): "ada",
        ("--source", "audit"): "",
        ("--since", "2026-01-01"): "ada bob cyd",
        ("--until", "2026-01-01"): "",
        ("--subject", station.unarchived.lower()): "bob",
        ("--subject", station.unarchived[:8]): "ada bob",
        ("--subject", digest[:12]): "cyd",
        ("--subject", "scan.png"): "cyd",
        ("--subject", str(picture)): "cyd",
    }.items():
        assert [row["who"] for row in station.asked("list", *words)] == people.split(), words
        assert all(who in station.done("list", *words) for who in people.split())
    assert station.refused("list", "--since", "noon").code == "config.bad_option"


def test_a_part_is_shown_with_what_was_decided_and_what_is_said(station: Station) -> None:
    station.done("set", station.archived, "--class", "pits", "--by", "ada")
    station.done("set", station.archived, "--class", "pits", "--by", "bob", "--note", "[b]deep[/b]")
    station.done("set", station.archived, "--class", "scratches", "--by", "bob", "--patch", 3)
    station.done("set", station.archived, "--class", "pits", "--by", "ada", "--patch", 3)
    shown = station.asked("show", station.archived[:-1])
    assert (shown["decided"]["part_id"], shown["decided"]["verdict"], shown["trouble"]) == ("SEEN", "pits", None)
    assert [(one["level"], one["agreed"]) for one in shown["findings"]] == [("part", "pits"), ("patch", None)]
    told = station.done("show", station.archived)
    for words in (
        "decided",
        "confidence 0.750",
        "part: pits, by ada, bob",
        "bob says scratches; ada says pits",
        "[b]deep",
    ):
        assert words in told
    assert "no labels" in station.done("show", station.unarchived)
    assert "no labels" in station.done("show", station.in_work)


def test_a_file_that_changed_since_it_was_labelled_is_told_with_what_was_said_then(
    station: Station, picture: Path
) -> None:
    station.done("set", "--scan", picture, "--class", "pits", "--by", "ada")
    assert station.asked("show", "--scan", picture)["trouble"] is None
    cv2.imwrite(str(picture), np.zeros((LINES_PER_TURN, 64), np.uint8))
    shown = station.asked("show", "--scan", picture)
    assert "its hash differs" in shown["trouble"]
    assert (shown["labels"], [row["class"] for row in shown["former"]]) == ([], ["pits"])
    told = station.done("show", "--scan", picture)
    assert "of what the file was then" in told
    assert station.refused("show", "--scan", picture.with_name("none.png")).code == "label.bad_scan"


def test_disagreements_are_listed_until_somebody_comes_round(station: Station) -> None:
    assert "no disagreements" in station.done("disagreements")
    station.done("set", station.archived, "--class", "pits", "--by", "ada")
    station.done("set", station.archived, "--class", "scratches", "--by", "bob")
    station.done("set", station.unarchived, "--class", "pits", "--by", "bob")
    (row,) = station.asked("disagreements")
    assert (row["inspection_id"], row["agreed"]) == (station.archived, None)
    assert [(one["who"], one["class"]) for one in row["said"]] == [("ada", "pits"), ("bob", "scratches")]
    assert "ada says pits; bob says scratches" in station.done("disagreements")
    station.done("set", station.archived, "--class", "pits", "--by", "bob")
    assert station.asked("disagreements") == []
