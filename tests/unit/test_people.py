"""What people say of a scan, for measurements: by its content, also where they said it of its inspection."""

import hashlib
from pathlib import Path

import pytest

from station.cli.terminal import settings_of
from station.core.errors import ConfigError
from station.offline.people import open_people
from tests.labelling import Station


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Station:
    return Station.at(tmp_path_factory.mktemp("people"))


def said(station: Station) -> tuple[str, ...]:
    """What is said of the archived scan."""
    people = open_people(settings_of(None, "simulate.toml"), station.folder)
    assert people is not None
    sha256 = hashlib.sha256(station.scan.read_bytes()).hexdigest()
    return people(frozenset({sha256, "ab" * 32})).get(sha256, ())


def test_of_an_inspection_and_of_its_file_is_said_of_the_same_scan(station: Station, tmp_path: Path) -> None:
    mine = station.copied(tmp_path / "data")
    assert said(mine) == ()
    mine.done("set", mine.archived, "--class", "pits", "--by", "ada")
    assert said(mine) == ("pits",)
    mine.done("set", "--scan", mine.scan, "--class", "scratches", "--by", "bob")
    assert said(mine) == ("pits", "scratches")
    mine.done("set", mine.archived, "--class", "withdrawn", "--by", "ada")
    assert said(mine) == ("scratches",)


def test_a_place_on_a_part_says_nothing_of_the_whole(station: Station, tmp_path: Path) -> None:
    mine = station.copied(tmp_path / "data")
    mine.done("set", mine.archived, "--class", "pits", "--patch", 3, "--by", "ada")
    assert said(mine) == ()


def test_a_data_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = settings_of(None, "simulate.toml")
    assert open_people(settings, None) is None
    with pytest.raises(ConfigError, match=r"--labels .*nowhere: there is no such data folder"):
        open_people(settings, tmp_path / "nowhere")
