"""The tables of classes and places in the configuration, checked as a whole.

What is refused, each with its own words: no class that passes, or two; a code that is 0 or used twice; names that are
no identifiers or used twice; a place that is missing; a defect or REVIEW whose place is where good parts go.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from config import bundled
from station.core.geometry import Geometry
from station.core.section import Section
from station.core.verdicts import REVIEW, UNKNOWN, WITHDRAWN, Classes, Place, Verdict

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
Label = str | dict[str, str]

MAX_CLASSES, MAX_PLACES = 64, 16


class ClassSettings(Section):
    """One class of surface; see `station.core.verdicts.Verdict`."""

    model_config = ConfigDict(populate_by_name=True)

    code: int = Field(..., ge=1, le=65534, description="The decision code on the PLC.")
    name: Name = Field(..., description="Name in recordings, data sets, JSON and CSV.")
    label: Label = Field(
        "", description='For people: a text, or one a language, { en = "…", de = "…" }; else the name.'
    )
    place: Name = Field(..., description="Name of the place for such parts.")
    colour: Colour = Field("#e62828", description="Of patches and parts in pictures and on screens.")
    severity: int = Field(1, ge=0, le=1000, description="Which of several defects is the worst: the highest.")
    passes: bool = Field(False, alias="pass", description="True for the one class with which a part is good.")


class PlaceSettings(Section):
    """One place for parts; see `station.core.verdicts.Place`."""

    code: int = Field(..., ge=1, le=MAX_PLACES, description="Its number on robot and PLC; bit n-1 of bins_full.")
    name: Name = Field(..., description="Name in JSON and CSV.")
    label: Label = Field("", description="For people, as of a class.")


class ReviewSettings(Section):
    """The verdict on what was not judged, or not surely enough."""

    code: int = Field(..., ge=1, le=65534, description="The decision code on the PLC.")
    label: Label = Field("", description="For people, as of a class.")
    place: Name = Field(..., description="Name of the place for such parts.")
    colour: Colour = Field("#969696", description="Of such parts in pictures and on screens.")


class GeometrySettings(Section):
    """How one turn becomes blocks, strips and patches; see `station.core.geometry.Geometry`."""

    lines_per_turn: int = Field(..., ge=1, le=1_000_000, description="Lines of one turn.")
    lines_per_block: int = Field(..., ge=1, le=65_536, description="Lines that the camera delivers as one block.")
    patch_px: int = Field(..., ge=16, le=2048, description="Height and width of a patch.")
    patches_per_strip: int = Field(..., ge=1, le=64, description="Patches side by side, along the axis of the part.")

    @model_validator(mode="after")
    def _can_be_judged_block_by_block(self) -> Self:
        self.value()
        return self

    def value(self) -> Geometry:
        """The same as the type that flows."""
        return Geometry(**self.model_dump())


@cache
def _housings() -> dict[str, Any]:
    return tomllib.loads(bundled("housings.toml").read_text(encoding="utf-8"))


def default_classes() -> list[ClassSettings]:
    """The classes of housings."""
    return [ClassSettings.model_validate(row) for row in _housings()["classes"]]


def default_places() -> list[PlaceSettings]:
    """The places of housings."""
    return [PlaceSettings.model_validate(row) for row in _housings()["places"]]


def default_review() -> ReviewSettings:
    """REVIEW of housings."""
    return ReviewSettings.model_validate(_housings()["review"])


def default_geometry() -> GeometrySettings:
    """The geometry of housings."""
    return GeometrySettings.model_validate(_housings()["geometry"])


def housings() -> Classes:
    """The whole table of housings."""
    return build(default_classes(), default_places(), default_review(), "en")


def build(
    classes: Iterable[ClassSettings], places: Iterable[PlaceSettings], review: ReviewSettings, language: str
) -> Classes:
    """The table as the values that flow.

    Args:
        classes: Rows of `[[classes]]`.
        places: Rows of `[[places]]`.
        review: `[review]`.
        language: Of the labels, where a row has several.

    Raises:
        ValueError: What is wrong with it, every fault in words.
    """
    classes, places = tuple(classes), tuple(places)
    if problems := [*_wrong_places(places), *_wrong_classes(classes, places, review)]:
        raise ValueError("; ".join(problems))
    where = {row.name: Place(row.code, row.name, _label(row, language)) for row in places}
    return Classes(
        tuple(
            Verdict(row.code, row.name, _label(row, language), where[row.place], row.colour, row.severity, row.passes)
            for row in classes
        ),
        Verdict(review.code, REVIEW, _text(review.label, REVIEW, language), where[review.place], review.colour, 0),
        tuple(sorted(where.values(), key=lambda place: place.code)),
    )


def _wrong_places(places: tuple[PlaceSettings, ...]) -> Iterator[str]:
    if len(places) > MAX_PLACES:
        yield f"places: {len(places)} rows, at most {MAX_PLACES} are possible, for bins_full is one word"
    yield from _twice("places", "code", (row.code for row in places))
    yield from _twice("places", "name", (row.name for row in places))


def _wrong_classes(
    classes: tuple[ClassSettings, ...], places: tuple[PlaceSettings, ...], review: ReviewSettings
) -> Iterator[str]:
    if not 2 <= len(classes) <= MAX_CLASSES:
        yield f"classes: {len(classes)} rows, possible are 2 to {MAX_CLASSES}"
    yield from _twice("classes", "code", [*(row.code for row in classes), review.code])
    yield from _twice("classes", "name", (row.name for row in classes))
    if any(row.name == REVIEW for row in classes):
        yield f"classes: {REVIEW} is no class; the table [review] says its code and place"
    if any(row.name == WITHDRAWN for row in classes):
        yield f"classes: {WITHDRAWN} is no class; it is what a label says that takes back another"
    if any(row.name == UNKNOWN for row in classes):
        yield f"classes: {UNKNOWN} is no class; it is what the truth calls a part of none of them"
    passing = [row for row in classes if row.passes]
    if len(passing) != 1:
        yield f"classes: exactly one must have pass = true, not {', '.join(row.name for row in passing) or 'none'}"
    for row in classes:
        if row.passes != (row.severity == 0):
            yield f"classes.{row.name}: severity {row.severity}; what passes has 0, a defect at least 1"
    wanted = {f"classes.{row.name}": row.place for row in classes} | {REVIEW: review.place}
    yield from _wrong_destinations(wanted, {row.name for row in places}, passing)


def _wrong_destinations(wanted: dict[str, str], known: set[str], passing: list[ClassSettings]) -> Iterator[str]:
    for key, place in wanted.items():
        if place not in known:
            yield f"{key}: there is no place {place}; [[places]] has {', '.join(sorted(known)) or 'none'}"
    for good in passing:
        others = [key for key, place in wanted.items() if place == good.place and key != f"classes.{good.name}"]
        if others:
            yield f"{', '.join(others)}: the place {good.place} is where good parts go ({good.name}); give it another"


def _twice(table: str, key: str, values: Iterable[Any]) -> Iterator[str]:
    for value, count in Counter(values).items():
        if count > 1:
            yield f"{table}: {key} {value} is used {count} times"


def _label(row: ClassSettings | PlaceSettings, language: str) -> str:
    return _text(row.label, row.name, language)


def _text(label: Label, name: str, language: str) -> str:
    if isinstance(label, dict):
        return label.get(language) or label.get("en") or next(iter(label.values()), name)
    return label or name
