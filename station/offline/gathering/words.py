"""What people say of one scan, as numbers that a network can learn from.

Of a scan from which nobody can learn this says why: people differ on the part, it cannot be judged, its defect is no
class of the configuration, or what is said of it contradicts itself. Where that holds of a single place, nobody learns
from the place, and the rest is taken.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.dataset.manifest import UNLABELLED, LabelState
from models.dataset.said import DOUBTFUL, PASSING, Mark, Said
from station.core.moments import stamp
from station.labels.agreement import current
from station.labels.label import CANNOT_BE_JUDGED, Box, Label, Mask, Patch, Region, WholePart
from station.labels.plain import plain
from station.offline.gathering.terms import NotLearntError, Terms

DIFFER = "people differ"
NOT_JUDGED = "it cannot be judged"
NO_CLASS = "its defect is no class of the configuration"
CONTRADICTION = "what is said of it contradicts itself"
NOTHING = "nobody said anything that can be learnt"

Places = Mapping[Region, Sequence[Label]]
"""What people say now of each place on one part."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Makes numbers of words.

    Attributes:
        terms: The classes, and the geometry of the patches.
        masks: The files with masks, by their SHA-256.
    """

    terms: Terms
    masks: Mapping[str, Path]

    def hear(self, labels: Iterable[Label], warn: Callable[[str], None]) -> Said:
        """What labels of one scan come to.

        Args:
            labels: All that is said of it, whether of the inspection or of the file.
            warn: Is told of each place that nobody learns from.

        Raises:
            NotLearntError: Nobody can learn from the scan.
        """
        places: dict[Region, list[Label]] = defaultdict(list)
        for label in (counting := current(labels)):
            places[label.region].append(label)
        part = self._number(places.pop(WholePart())) if WholePart() in places else UNLABELLED
        self._require_consistent(part, places)
        patches = {region.index: self._doubted(region, said, warn) for region, said in places.items()
                   if isinstance(region, Patch) and self._is_cut_so(region, warn)}  # fmt: skip
        marks = [mark for region, said in places.items() for mark in self._marks(region, said, warn)]
        said = Said(part, patches, tuple(marks), words_sha256(counting))
        concluded(said, self.terms)  # there is something to learn from
        return said

    def _number(self, labels: Sequence[Label]) -> int:
        """The number of the class on which all agree."""
        names = {label.class_name for label in labels}
        if len(names) > 1:
            raise NotLearntError(DIFFER, ", ".join(sorted(f"{one.who} says {one.class_name}" for one in labels)))
        (name,) = names
        number = self.terms.number(name)
        if number is None:
            raise NotLearntError(NOT_JUDGED) if name == CANNOT_BE_JUDGED else NotLearntError(NO_CLASS, name)
        return number

    def _doubted(self, region: Region, labels: Sequence[Label], warn: Callable[[str], None]) -> int:
        try:
            return self._number(labels)
        except NotLearntError as error:
            warn(f"{region}: {error}; nobody learns from it")
            return DOUBTFUL

    def _is_cut_so(self, patch: Patch, warn: Callable[[str], None]) -> bool:
        if self._has(patch):
            return True
        warn(f"{patch} is of another geometry, {patch.geometry}; it is left out")
        return False

    def _marks(self, region: Region, labels: Sequence[Label], warn: Callable[[str], None]) -> Iterable[Mark]:
        """A box or mask; one of the class that passes says of no patch that all of it is good."""
        if not isinstance(region, Box | Mask):
            return
        place = _rectangle(region) if isinstance(region, Box) else self.masks.get(region.sha256)
        if place is None:
            warn(f"{region}: no file in the folder of --masks has this content; it is left out")
        elif (number := self._doubted(region, labels, warn)) == PASSING:
            warn(f"{region} is called {labels[0].class_name}, which tells nothing of a patch; it is left out")
        else:
            yield Mark(number, place)

    def _require_consistent(self, part: int, places: Places) -> None:
        """A part that is good as a whole has no defect anywhere; one that is not has one somewhere."""
        good = self.terms.surfaces[PASSING].name
        names = {region: {label.class_name for label in said} for region, said in places.items()}
        defects = [f"{region}: {', '.join(sorted(said - {good}))}" for region, said in names.items()
                   if said - {good, CANNOT_BE_JUDGED}]  # fmt: skip
        if part == PASSING and defects:
            raise NotLearntError(CONTRADICTION, f"the part is {good}, and {'; '.join(defects)}")
        own = [said for region, said in names.items() if isinstance(region, Patch) and self._has(region)]
        if part > PASSING and self._all_good(own, good):
            name = self.terms.surfaces[part].name
            raise NotLearntError(CONTRADICTION, f"the part is {name}, and every patch of it {good}")

    def _has(self, patch: Patch) -> bool:
        return patch.geometry == self.terms.geometry

    def _all_good(self, patches: Sequence[set[str]], good: str) -> bool:
        return len(patches) == self.terms.geometry.patches_per_part and all(said == {good} for said in patches)


def concluded(said: Said, terms: Terms) -> Said:
    """The same with the class of the whole part, where nobody said it and it follows from the places.

    Raises:
        NotLearntError: Neither of the part nor of a place anything is known.
    """
    if said.part != UNLABELLED:
        return said
    if defects := [number for number in said.seen if number != PASSING]:
        return replace(said, part=max(defects, key=lambda number: terms.surfaces[number].severity))
    numbers = list(said.patches.values())
    if len(numbers) == terms.geometry.patches_per_part and set(numbers) == {PASSING}:
        return replace(said, part=PASSING)
    if not said.seen:
        raise NotLearntError(NOTHING)
    return said


def words_sha256(labels: Iterable[Label]) -> str:
    """SHA-256 of labels, whatever their order."""
    texts = sorted(json.dumps(plain(label), sort_keys=True) for label in labels)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def state_of(labels: Iterable[Label]) -> LabelState:
    """Which labels these are: enough to tell them again from a store that only grows."""
    counting = current(labels)
    latest = max((stamp(label.at) for label in counting), default="")
    return LabelState(count=len(counting), sha256=words_sha256(counting), latest=latest)


def _rectangle(box: Box) -> tuple[int, int, int, int]:
    return box.line, box.column, box.height, box.width
