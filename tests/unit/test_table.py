"""The tables of classes and places: what is refused, in which words, and what holds for every table."""

import tomllib
from typing import Any

import pytest

from config import bundled
from station.core.errors import ConfigError
from station.core.settings import Settings, parse_settings
from station.core.table import default_geometry, housings

CLASSES: list[dict[str, Any]] = [
    {"code": 11, "name": "good", "place": "out", "severity": 0, "pass": True},
    {"code": 21, "name": "crack", "place": "scrap", "severity": 9, "label": {"en": "Crack", "de": "Riss"}},
    {"code": 31, "name": "stain", "place": "scrap"},
]
PLACES: list[dict[str, Any]] = [{"code": 1, "name": "out", "label": "Outlet"}, {"code": 16, "name": "scrap"}]
REVIEW: dict[str, Any] = {"code": 99, "place": "scrap"}


def settings(**changes: Any) -> Settings:
    document = tomllib.loads(bundled("simulate.toml").read_text(encoding="utf-8"))
    document["records"]["archive"] = []
    return parse_settings(document | {"classes": CLASSES, "places": PLACES, "review": REVIEW} | changes, "cell.toml")


def refusal(**changes: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        settings(**changes)
    assert refused.value.code == "config.invalid"
    return refused.value.detail


def changed(row: int, **keys: Any) -> list[dict[str, Any]]:
    return [{**one, **keys} if number == row else one for number, one in enumerate(CLASSES)]


def test_a_table_of_ones_own_replaces_that_of_housings_whole() -> None:
    table = settings().table
    assert [(one.code, one.name, one.label, one.place.name, one.severity, one.passes) for one in table.verdicts] == [
        (11, "good", "good", "out", 0, True),
        (21, "crack", "Crack", "scrap", 9, False),
        (31, "stain", "stain", "scrap", 1, False),
        (99, "review", "review", "scrap", 0, False),
    ]
    assert [(place.code, place.name, place.label) for place in table.places] == [
        (1, "out", "Outlet"),
        (16, "scrap", "scrap"),
    ]
    assert table.passing.name == "good"
    assert (table.of_code(0), table.of_code(77), table.named("pits")) == (table.review, table.review, table.review)
    assert table.place_of(2) is table.place_of(0) is None


def test_labels_are_those_of_the_configured_language() -> None:
    named = {"name": "x", "language": "de"}
    assert settings(station=named).table.named("crack").label == "Riss"
    assert settings(station=named | {"language": "fr"}).table.named("crack").label == "Crack"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"classes": changed(1, **{"pass": True, "severity": 0})},
            "exactly one must have pass = true, not good, crack",
        ),
        ({"classes": changed(0, **{"pass": False, "severity": 1})}, "exactly one must have pass = true, not none"),
        ({"classes": changed(1, code=0)}, "classes.1.code = 0"),
        ({"classes": changed(1, code=65535)}, "classes.1.code = 65535"),
        ({"classes": changed(1, code=31)}, "classes: code 31 is used 2 times"),
        ({"review": {**REVIEW, "code": 21}}, "classes: code 21 is used 2 times"),
        ({"classes": changed(1, name="stain")}, "classes: name stain is used 2 times"),
        ({"classes": changed(1, name="Crack 1")}, "classes.1.name = 'Crack 1'"),
        ({"classes": changed(1, name="withdrawn")}, "withdrawn is no class; it is what a label says that takes back"),
        ({"classes": changed(1, name="unknown")}, "unknown is no class; it is what the truth calls a part of none"),
        ({"classes": changed(1, name="review")}, "review is no class; the table [review] says its code and place"),
        ({"classes": changed(1, place="hell")}, "classes.crack: there is no place hell; [[places]] has out, scrap"),
        ({"review": {**REVIEW, "place": "hell"}}, "review: there is no place hell"),
        ({"classes": changed(1, place="out")}, "classes.crack: the place out is where good parts go (good)"),
        ({"review": {**REVIEW, "place": "out"}}, "review: the place out is where good parts go (good)"),
        ({"classes": changed(1, severity=0)}, "classes.crack: severity 0; what passes has 0, a defect at least 1"),
        ({"classes": changed(0, severity=2)}, "classes.good: severity 2; what passes has 0"),
        ({"classes": changed(1, colour="red")}, "classes.1.colour = 'red'"),
        ({"classes": CLASSES[:1]}, "classes: 1 rows, possible are 2 to 64"),
        (
            {"classes": CLASSES + [{"code": 100 + n, "name": f"c{n}", "place": "scrap"} for n in range(297)]},
            "classes: 300 rows, possible are 2 to 64",
        ),
        ({"places": [{"code": 1, "name": "out"}, {"code": 1, "name": "scrap"}]}, "places: code 1 is used 2 times"),
        ({"places": [*PLACES, {"code": 17, "name": "far"}]}, "places.2.code = 17"),
        ({"records": {"archive": ["pits"]}}, "records.archive names no verdict: pits; there are crack, good, review"),
        ({"records": {"keep_days": {"pits": 3}}}, "records.keep_days names no verdict: pits"),
    ],
)
def test_a_table_that_could_sort_wrongly_is_refused(changes: dict[str, Any], words: str) -> None:
    assert words in refusal(**changes)


@pytest.mark.parametrize("left_out", ["classes", "places", "review"])
def test_half_a_table_is_not_filled_up_from_that_of_housings(left_out: str) -> None:
    document = tomllib.loads(bundled("simulate.toml").read_text(encoding="utf-8"))
    document |= {"classes": CLASSES, "places": PLACES, "review": REVIEW}
    del document[left_out]
    with pytest.raises(ConfigError, match=f"without {left_out}: classes, places and review are given together"):
        parse_settings(document, "cell.toml")


def test_the_table_of_housings_is_word_for_word_what_it_was() -> None:
    table = housings()
    assert [(one.code, one.name, one.place.code, one.place.name) for one in table.verdicts] == [
        (1, "defect_free", 1, "second_inspection"),
        (2, "imprinted", 2, "bin_imprinted"),
        (3, "pits", 3, "bin_pits"),
        (4, "roll_marks", 4, "bin_roll_marks"),
        (5, "scratches", 5, "bin_scratches"),
        (6, "review", 6, "bin_review"),
    ]
    assert table.passing.name == "defect_free"
    geometry = default_geometry().value()
    assert (geometry.lines_per_turn, geometry.lines_per_block) == (3584, 448)
    assert (geometry.strip_shape, geometry.patches_per_part) == ((256, 512), 16)
