"""What the columns of a network's answers mean: its classes beside those of a table.

names  ─ meaning_of ─▶ Meaning by the configured table, or ModelError `model.wrong_classes`
bundle ─ check_classes ─▶ what of the table it does not answer
names  ─ own_table ─▶ a table of the network's own classes, to measure it apart from any station
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from models.manifest import Manifest
from station.core.errors import ModelError
from station.core.part import Probabilities
from station.core.probabilities import columns_of
from station.core.table import Name
from station.core.verdicts import REVIEW, UNKNOWN, Classes, Outputs, Place, Verdict

ANY_COLOUR = "#969696"
NAMES = "a class that a station shall know is named with small letters, digits and _, from a letter, at most 40"


@dataclass(frozen=True)
class Meaning:
    """The columns of a network's answers, and what of the table it does not answer.

    Attributes:
        table: Everything that a part may be called.
        outputs: A row of the table a column.
    """

    table: Classes
    outputs: Outputs

    @property
    def surfaces(self) -> tuple[Verdict, ...]:
        """Every class: the columns first, then what the network does not answer, in the table's order."""
        answered = self.outputs.surfaces
        return answered + tuple(surface for surface in self.table.surfaces if surface not in answered)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of `surfaces`."""
        return tuple(surface.name for surface in self.surfaces)

    @property
    def passing(self) -> int:
        """The column of what passes."""
        return self.outputs.passing

    def columns_of(self, surfaces: Sequence[Verdict]) -> NDArray[np.int8]:
        """Where classes stand in `surfaces`.

        Raises:
            ValueError: One is not of the table.
        """
        return np.array([self.surfaces.index(surface) for surface in surfaces], np.int8)

    def called(self, probabilities: Probabilities) -> NDArray[np.intp]:
        """What patches (n,) are called, as places in `surfaces`, by their probabilities (n, columns or surfaces)."""
        return columns_of(probabilities, self.passing)

    def called_defective(self, probabilities: Probabilities) -> NDArray[np.bool_]:
        """Which patches (n,) Algorithm 1 takes for a defect, by their probabilities (n, columns)."""
        return np.asarray(self.called(probabilities) != self.passing, np.bool_)

    def widened(self, probabilities: Probabilities) -> Probabilities:
        """Probabilities (n, surfaces) from (n, columns): 0 of what the network does not answer."""
        missing = len(self.surfaces) - probabilities.shape[1]
        return np.pad(probabilities, ((0, 0), (0, missing)))


def meaning_of(names: Sequence[str], table: Classes, whose: str) -> Meaning:
    """What a network's columns mean by a table.

    Args:
        names: Its classes, in its own order.
        table: The configured classes.
        whose: The network, for the refusal.

    Raises:
        ModelError: `model.wrong_classes`: it answers a class that the table does not have, or not the one that passes.
    """
    if unknown := table.unknown(names):
        raise ModelError(
            "model.wrong_classes",
            f"{whose} answers {', '.join(unknown)}, which [[classes]] does not have: {', '.join(table.names)}",
        )
    if table.passing.name not in names:
        raise ModelError(
            "model.wrong_classes",
            f"{whose} answers {', '.join(names)}, and not {table.passing.name}, which is what passes by [[classes]]",
        )
    return Meaning(table, table.outputs(names))


def fitting_meaning(names: Sequence[str], passing: str | None, table: Classes, whose: str) -> Meaning | None:
    """What a network's columns mean by a table that fits, else by classes of its own; None where nothing passes.

    Args:
        names: Its classes, in its own order.
        passing: The one with which a part is good, as it was trained; None where nobody said.
        table: The configured classes; they fit where they have all of its own, and the same one passes.
        whose: The network, for people.
    """
    if not table.unknown(names) and table.passing.name in names and passing in {None, table.passing.name}:
        return meaning_of(names, table, whose)
    return meaning_of(names, own_table(names, passing), whose) if passing else None


def check_classes(manifest: Manifest, table: Classes) -> str | None:
    """Compare a bundle's classes with the configured ones, by name; in words what it does not answer, None if nothing.

    Raises:
        ModelError: `model.wrong_classes`: the bundle answers a class that the table does not have, or what passes is
            another class.
    """
    meaning_of(manifest.classes, table, manifest.name)
    if manifest.passing != table.passing.name:
        raise ModelError(
            "model.wrong_classes",
            f"{manifest.name} was trained to pass {manifest.passing}, by [[classes]] {table.passing.name} passes",
        )
    silent = [name for name in table.names if name not in manifest.classes]
    if not silent:
        return None
    return f"{manifest.name} does not answer {', '.join(silent)}: no part that it judges will be called so"


def unconfigurable(names: Iterable[str]) -> list[str]:
    """Names that no configuration can have."""
    return [name for name in names if not _is_name(name)]


def _is_name(text: str) -> bool:
    try:
        TypeAdapter(Name).validate_python(text)
    except ValidationError:
        return False
    return text not in {REVIEW, UNKNOWN}


def own_table(names: Sequence[str], passing: str) -> Classes:
    """A table of a network's own classes, in its order; codes count from 1, and every class has a place of its own."""
    surfaces = tuple(
        Verdict(code, name, name, Place(code, name, name), ANY_COLOUR, int(name != passing), name == passing)
        for code, name in enumerate(names, 1)
    )
    last = len(names) + 1
    review = Verdict(last, REVIEW, REVIEW, Place(last, REVIEW, REVIEW), ANY_COLOUR, 0)
    return Classes(surfaces, review, tuple(verdict.place for verdict in (*surfaces, review)))
