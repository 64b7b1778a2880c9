"""Looks at every judged part whether parts, lamp, focus and lens are still as when the promise was made.

    part judged ─▶ its type's course goes on ─▶ recorded with the part ─▶ alarms, and the next part's stricter rule

The records are all that a restart needs. An alarm stands as long as one part type gives reason for it; that a promise
is suspended stands until the type is calibrated anew.
"""

import hashlib
from dataclasses import replace

import structlog

from station.cell.alarms import Alarms
from station.core.broadcast import Broadcast
from station.core.drift.course import ALARMS, UNLIKE, Course, Drift, Watched
from station.core.drift.limits import LAST_PARTS, Limits
from station.core.errors import FAULTS
from station.core.events import DriftChanged
from station.core.moments import stamp
from station.core.part import Inspection
from station.core.ports.records import PartLedger
from station.core.promise import SUSPENDED, Suspension
from station.core.recipe import Recipe, Recipes

log = structlog.get_logger()

LOT_DIGITS = 13
"""Hexadecimal digits of an inspection's lot: as many bits as a float has."""
MEASURES = {code: name for name, code in ALARMS.items()}
CODES = (UNLIKE, *MEASURES)


class DriftWatch:
    """Keeps the course of every part type.

    Args:
        ledger: Where the courses lie.
        alarms: Told of what is beyond its limit.
        broadcast: Tells of it, too.
        limits: How far things may drift.
        alpha: The share of good parts that may be called unknown while a promise is suspended.
    """

    def __init__(self, ledger: PartLedger, alarms: Alarms, broadcast: Broadcast, limits: Limits, alpha: float) -> None:
        self._ledger = ledger
        self._alarms = alarms
        self._broadcast = broadcast
        self._limits = limits
        self._alpha = alpha
        self._courses: dict[str, Course] = {}
        self._told: dict[str, tuple[str, ...]] = {}
        self._covered: set[str] = set()

    async def begin(self, recipes: Recipes) -> None:
        """Take up where the records stand; once, however often it is asked.

        Raises:
            RecordError: They cannot be read.
        """
        for recipe in recipes.rows:
            name = recipe.part_type.name
            if name not in self._courses:
                history = await self._ledger.drift_history(name)
                self._courses[name] = self._course(recipe, history)
                self._told[name] = self._courses[name].drift.beyond
        self._settle()
        if any(self._told.values()) or self._suspended:
            self._tell()

    def ruled(self, recipe: Recipe) -> Recipe:
        """The recipe as its next part is judged: while the promise is suspended more parts go to people as unknown."""
        novelty, course = recipe.rule.novelty, self._courses.get(recipe.part_type.name)
        if novelty is None or course is None or course.drift.suspended is None or not novelty.alpha:
            return recipe
        stricter = replace(novelty, alpha=max(novelty.alpha, self._alpha))
        return replace(recipe, rule=replace(recipe.rule, novelty=stricter))

    def take(self, inspection: Inspection, watched: Watched | None) -> Watched | None:
        """What a part shows with what all parts of its type have come to; one that shows nothing counts for nothing."""
        course = self._courses.get(inspection.part_type.name)
        if watched is None or course is None:
            return watched
        seen = replace(watched.seen, lot=lot_of(inspection.inspection_id))
        return Watched(seen, course.take(seen, inspection.inspection_id, stamp(inspection.entered_at)))

    async def tell(self, inspection: Inspection, watched: Watched | None) -> None:
        """Tell what has changed with a part: alarms, and a note of each in the journal.

        Raises:
            RecordError: It cannot be noted.
        """
        if watched is None or watched.drift is None:
            return
        name, drift = inspection.part_type.name, watched.drift
        await self._tell_covered(name, watched.seen.covered)
        before, self._told[name] = self._told.get(name, ()), drift.beyond
        if before == drift.beyond:
            return
        self._settle()
        self._tell()
        for code in sorted(set(drift.beyond) ^ set(before)):
            await self._note(inspection, code, drift)

    def _course(self, recipe: Recipe, history: tuple[Watched, ...]) -> Course:
        novelty = recipe.rule.novelty
        return Course(novelty.calibration if novelty is not None else None, self._limits, history)

    def _settle(self) -> None:
        """The alarms are those of all part types."""
        for code in CODES:
            holds = [name for name, beyond in self._told.items() if code in beyond]
            if holds:
                told = "; ".join(words(name, code, self._courses[name].drift, self._limits) for name in holds)
                self._alarms.warn(FAULTS[code], told)
            else:
                self._alarms.warned(FAULTS[code])
        if suspended := self._suspended:
            told = "; ".join(f"{name}: {suspension.words}" for name, suspension in suspended.items())
            self._alarms.warn(FAULTS[SUSPENDED], told)
        else:
            self._alarms.warned(FAULTS[SUSPENDED])

    @property
    def _suspended(self) -> dict[str, Suspension]:
        """Why what is promised of part types does not hold, by their names."""
        courses = ((name, course.drift.suspended) for name, course in self._courses.items())
        return {name: suspension for name, suspension in courses if suspension is not None}

    def _tell(self) -> None:
        self._broadcast.tell(DriftChanged({name: course.drift for name, course in self._courses.items()}))

    async def _note(self, inspection: Inspection, code: str, drift: Drift) -> None:
        told = words(inspection.part_type.name, code, drift, self._limits)
        detail = f"{inspection.inspection_id} {code}: {told}"
        if code in drift.beyond:
            log.warning("drift_found", fault=code, detail=told)
            await self._ledger.note("drift_found", detail)
        else:
            log.info("drift_over", fault=code, detail=told)
            await self._ledger.note("drift_over", detail)

    async def _tell_covered(self, name: str, covered: str) -> None:
        """That the lamp cannot be watched, once, until it can be again."""
        if not covered:
            self._covered.discard(name)
        elif name not in self._covered:
            self._covered.add(name)
            log.warning("reference_covered", part_type=name, detail=covered)
            await self._ledger.note("reference_covered", f"{name}: {covered}; its lamp is not watched")


def lot_of(inspection_id: str) -> float:
    """A random number of 0 to 1 that belongs to an inspection, always the same."""
    digits = hashlib.sha256(f"drift {inspection_id}".encode()).hexdigest()[:LOT_DIGITS]
    return float(int(digits, 16) / 16.0**LOT_DIGITS)


def words(name: str, code: str, drift: Drift, limits: Limits) -> str:
    """What is the matter with the parts of a type, for people."""
    if code == UNLIKE:
        return f"{name}: after {drift.parts} parts the bets stand at {10**drift.wealth:.0f} to 1"
    figure = MEASURES[code]
    now, first = drift.now.get(figure, 0.0), drift.first.get(figure, 0.0)
    allowed = {
        "lamp": f"at least {limits.lamp_min * first:.2f} grey",
        "edge_px": f"at most {limits.edge_max * first:.2f} px",
        "streak": f"at most {first + limits.streak_max:.2f} grey",
    }[figure]
    return f"{name}: {now:.2f} in the middle of the last {LAST_PARTS} parts, {first:.2f} at first, allowed is {allowed}"
