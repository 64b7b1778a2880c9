"""Golden parts: when those of a part type are due, and what their judgements come to. Pure functions.

What happened to a part type is a list of steps, as the records keep them; where it stands is their sum, so that it is
the same after a restart. Due is compared with the date, and never waited for: a clock that jumps over the moment finds
it passed, and one that jumps back behind the last challenge makes it due, because nobody knows how long that was.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from station.core.calendar import Calendar

StepName = Literal["demanded", "judged", "passed", "failed"]

BACKWARDS = timedelta(minutes=1)
"""So far a time server may set the date back without anybody having to do anything."""

FIRST = "no challenge was passed yet"
FAILED = "the last challenge failed"
CHANGEOVER = "changeover from another part type"
RECIPE = "what judges has changed since the last challenge"
CLOCK = "the date lies before the last challenge"
LAID_IN = "a golden part was laid in"


@dataclass(frozen=True, slots=True)
class GoldenPart:
    """A part that the station must judge rightly.

    Attributes:
        part_id: By which the PLC announces it.
        part_type: Name of its type.
        expected: Name of the verdict that it must get; `review` for a part that belongs to people.
    """

    part_id: str
    part_type: str
    expected: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to the challenge of a part type, as it is recorded.

    Attributes:
        at: When, UTC.
        part_type: Name of the type.
        name: What happened.
        cause: Why the challenge was due.
        golden: Id of the golden part that was judged.
        inspection: Number of the inspection that judged it.
        expected: What it is.
        found: What the station would have called it; None where its scan could not be judged.
        recipe_sha256: What it was judged by.
    """

    at: datetime
    part_type: str
    name: StepName
    cause: str
    golden: str | None = None
    inspection: int | None = None
    expected: str | None = None
    found: str | None = None
    recipe_sha256: str | None = None

    @property
    def right(self) -> bool:
        """Whether a golden part was judged as what it is."""
        return self.found is not None and self.found == self.expected

    @property
    def wrong(self) -> bool:
        """Whether a golden part was judged as something else; one that could not be judged is neither."""
        return self.found is not None and self.found != self.expected

    def ending(self, name: StepName) -> "Step":
        """The end of the round that this judgement has brought about."""
        return replace(self, name=name)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the challenge of a part type stands.

    Attributes:
        passed: The last time that it was passed, or None.
        wanted: Why it is due whatever the clock says, or None.
        failed: How it failed, since it was passed the last time, or None.
        seen: Golden parts of the open round that were judged rightly.
        recipe_sha256: What those were judged by.
    """

    passed: Step | None = None
    wanted: str | None = None
    failed: Step | None = None
    seen: frozenset[str] = frozenset()
    recipe_sha256: str | None = None

    def after(self, step: Step) -> "Standing":
        """Where it stands after one more step."""
        match step.name:
            case "passed":
                return Standing(passed=step)
            case "failed":
                return Standing(self.passed, FAILED, step)
            case "demanded":
                return Standing(self.passed, step.cause, self.failed)
            case _:
                return self._judged(step)

    def _judged(self, step: Step) -> "Standing":
        seen = self.seen if self.recipe_sha256 == step.recipe_sha256 else frozenset()
        right = seen | {step.golden} if step.right and step.golden else seen
        return replace(self, wanted=self.wanted or step.cause, seen=right, recipe_sha256=step.recipe_sha256)

    def seen_by(self, recipe_sha256: str) -> frozenset[str]:
        """The golden parts that this recipe has judged rightly in the open round."""
        return self.seen if self.recipe_sha256 == recipe_sha256 else frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """Which golden parts there are, and when the clock makes them due.

    Attributes:
        golden: All of them.
        every: So long after the last one a challenge is due; None for never.
        shifts: At whose beginnings one is due; None for no shifts.
    """

    golden: tuple[GoldenPart, ...] = ()
    every: timedelta | None = None
    shifts: Calendar | None = None
    of_type: dict[str, frozenset[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort them by their types."""
        types = {one.part_type for one in self.golden}
        ids = {kind: frozenset(one.part_id for one in self.golden if one.part_type == kind) for kind in types}
        object.__setattr__(self, "of_type", ids)

    def named(self, part_id: str) -> GoldenPart | None:
        """The golden part with this id, or None."""
        return next((one for one in self.golden if one.part_id == part_id), None)

    def due(self, standing: Standing, recipe_sha256: str, now: datetime) -> str | None:
        """Why a type's golden parts must be judged before any other part of it, or None."""
        if standing.wanted is not None:
            return standing.wanted
        if standing.passed is None:
            return FIRST
        if standing.passed.recipe_sha256 != recipe_sha256:
            return RECIPE
        return self._due_by_the_clock(standing.passed.at, now)

    def _due_by_the_clock(self, passed_at: datetime, now: datetime) -> str | None:
        if now < passed_at - BACKWARDS:
            return CLOCK
        if self.every is not None and now >= passed_at + self.every:
            return f"{self.every.total_seconds() / 3600:g} h since the last challenge"
        start = self.shifts.begin_at(now) if self.shifts is not None else None
        return f"shift start at {start:%H:%M}" if start is not None and start > passed_at else None


def standings(steps: Iterable[Step]) -> dict[str, Standing]:
    """Where each part type stands after these steps, the oldest first."""
    found: dict[str, Standing] = {}
    for step in steps:
        found[step.part_type] = found.get(step.part_type, Standing()).after(step)
    return found
