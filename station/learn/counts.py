"""What a learning finds to learn from: parts by class, labels by who said them and from where, what was left out."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from station.core.moments import stamp
from station.core.section import Section
from station.labels.agreement import current
from station.labels.label import Label

COUNTS = "parts.json"
"""In the folder of the learning."""


class Sayings(Section):
    """Labels of one person from one place: `person`, `import`, `golden` or `audit`."""

    who: str
    source: str
    labels: int


class Counts(Section):
    """Scans by class and by what they are for.

    Attributes:
        learnt: Learnt from.
        held_out: Judge.
        good: Good ones that calibrate.
        sayings: Labels by who said them and from where; of each person the latest of a place.
        left_out: Scans that are not learnt from, by why.
        named: In words each of these, and each place on a scan that nobody learns from.
    """

    learnt: dict[str, int]
    held_out: dict[str, int]
    good: int
    sayings: tuple[Sayings, ...]
    left_out: dict[str, int]
    named: tuple[str, ...]

    @property
    def labels(self) -> int:
        """How many there are of people."""
        return sum(one.labels for one in self.sayings)


def sayings_of(labels: Iterable[Label], as_of: str) -> tuple[Sayings, ...]:
    """Who says how much, from where; the most first.

    Args:
        labels: All that there are.
        as_of: Only what was said up to this moment counts.
    """
    counted = Counter((one.who, one.source.value) for one in current(one for one in labels if stamp(one.at) <= as_of))
    rows = sorted(counted.items(), key=lambda row: (-row[1], row[0]))
    return tuple(Sayings(who=who, source=source, labels=count) for (who, source), count in rows)


def read_counts(folder: Path) -> Counts:
    """What was counted in the first step."""
    return Counts.model_validate_json((folder / COUNTS).read_bytes())
