"""Golden parts in the running cell: which part may come next, and what a golden part's judgement means.

    due ─▶ Suspended until those of the type are laid in ─▶ each is judged, and goes back to people ┬▶ all right: passed
                                                                                                   └▶ one wrong: Held

A golden part never passes, whatever it is judged to be. Nothing here waits: whether a challenge is due is asked when a
part is to be taken on, so that none is taken on after the moment.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from station.core.challenge import CHANGEOVER, LAID_IN, GoldenPart, Plan, Standing, Step, standings
from station.core.clock import Clock
from station.core.errors import FAULTS, PartError, StationError
from station.core.judgement import Judgement
from station.core.part import Announcement, Inspection
from station.core.ports.references import ReferenceBook, Remembered
from station.core.reason import Reason
from station.core.recipe import Recipe, Recipes

log = structlog.get_logger()

WAITING = 1000
"""So many demands may wait for the disk."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A part type whose golden parts may be due.

    Attributes:
        recipe: What judges the type.
        standing: Where its challenge stands.
        cause: Why it is due, or None.
        missing: Its golden parts that are still to be laid in, in the order of their ids.
    """

    recipe: Recipe
    standing: Standing
    cause: str | None
    missing: tuple[str, ...]

    def __str__(self) -> str:
        """What people read of it."""
        return f"{self.recipe.part_type.name}: {self.cause}; lay in {', '.join(self.missing)}"


class Challenge:
    """The golden parts of one cell; used from its event loop.

    Args:
        plan: Which there are, and when they are due.
        recipes: What judges each part type.
        remembered: What happened before this start.
        book: Where it is written.
        clock: The date.
    """

    def __init__(self, plan: Plan, recipes: Recipes, remembered: Remembered, book: ReferenceBook, clock: Clock) -> None:
        self._plan = plan
        self._recipes = recipes
        self._standings = standings(remembered.steps)
        self._current = recipes.of_code(remembered.last.type_code) if remembered.last else None
        self._book = book
        self._clock = clock
        self._waiting: asyncio.Queue[Step] = asyncio.Queue()

    # ------------------------------------------------------------------ which part may come

    def hindrance(self, part: Announcement | None) -> Reason | None:
        """Why this part, or any where none waits, may not be taken on, or None."""
        recipe = self._current if part is None else self._recipes.of_code(part.type_code)
        golden = None if part is None else self._plan.named(part.part_id)
        if recipe is None or (golden is None and recipe.part_type.name not in self._plan.of_type):
            return None
        if golden is not None and golden.part_type != recipe.part_type.name:
            detail = f"{golden.part_id} is of type {golden.part_type}, announced as {recipe.part_type.name}"
            return Reason(FAULTS["part.golden_refused"], detail)
        asked = self._asked(recipe)
        if golden is not None:
            return self._second(golden, asked)
        return Reason(FAULTS["part.challenge_due"], str(asked)) if asked.cause else None

    def demand(self, part_type: str | None, cause: str) -> None:
        """Somebody wants the golden parts of a type to be judged before anything else; None for all types.

        Raises:
            StationError: `station.illegal_command`: there are none; `record.disk_failed`: too many demands wait.
        """
        wanted = [name for name in self._plan.of_type if part_type in (None, name)]
        if not wanted:
            raise StationError("station.illegal_command", f"no golden part of {part_type or 'any type'} is configured")
        if self._waiting.qsize() + len(wanted) > WAITING:
            raise StationError("record.disk_failed", "too many demands for a challenge wait to be written")
        for name in wanted:
            step = Step(self._clock.now(), name, "demanded", cause)
            self._add((step,))
            self._waiting.put_nowait(step)

    async def take_on(self, recipe: Recipe) -> None:
        """A part of this type comes; after one of another type its golden parts are due.

        Raises:
            RecordError: It cannot be written.
        """
        name = recipe.part_type.name
        if self._changes_over(recipe):
            await self._keep((Step(self._clock.now(), name, "demanded", CHANGEOVER),))
        self._current = recipe

    # ------------------------------------------------------------------ what a golden part was judged to be

    def withheld(self, inspection: Inspection, judgement: Judgement) -> Reason | None:
        """Why a part goes back to people whatever it was judged to be; None for one that is not golden."""
        golden = self._golden(inspection)
        if golden is None:
            return None
        return Reason(FAULTS["part.golden"], f"{golden.part_id} is {golden.expected}, judged {_said(judgement)}")

    async def judged(self, inspection: Inspection, judgement: Judgement, recipe: Recipe) -> None:
        """Write down what a golden part was judged to be, and how its challenge ended with it, if it did.

        Raises:
            RecordError: It cannot be written.
        """
        golden = self._golden(inspection)
        if golden is None:
            return
        asked, now = self._asked(recipe), self._clock.now()
        cause = asked.cause or LAID_IN
        step = Step(
            now, golden.part_type, "judged", cause, golden.part_id, inspection.number, golden.expected,
            found_of(judgement), recipe.sha256,
        )  # fmt: skip
        log.info("golden_part_judged", golden=golden.part_id, expected=step.expected, found=step.found)
        await self._keep((step, *self._end(step, asked.standing)))

    def check(self, inspection: Inspection) -> None:
        """Hold the cell where a golden part was judged wrongly.

        Raises:
            PartError: `part.challenge_failed`.
        """
        golden = self._golden(inspection)
        if golden is None:
            return
        failed = self._standing(golden.part_type).failed
        if failed is not None and failed.inspection == inspection.number:
            detail = (
                f"{golden.part_id} is {failed.expected}, judged {failed.found}; challenged because of: {failed.cause}"
            )
            raise PartError("part.challenge_failed", detail)

    # ------------------------------------------------------------------ writing down

    async def save(self) -> None:
        """Write down what was demanded; runs until cancelled."""
        while True:
            await self._write(await self._waiting.get())

    async def flush(self) -> None:
        """Write down what is not written yet."""
        while not self._waiting.empty():
            await self._write(self._waiting.get_nowait())

    async def _write(self, step: Step) -> None:
        try:
            await self._book.keep((step,))
        except StationError as error:
            log.error("note_not_kept", fault=error.code, detail=error.detail, note="challenge demanded")

    async def _keep(self, steps: Sequence[Step]) -> None:
        await self._book.keep(steps)
        self._add(steps)

    def _add(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self._standings[step.part_type] = self._standing(step.part_type).after(step)

    # ------------------------------------------------------------------ what is asked

    def _asked(self, recipe: Recipe) -> Asked:
        name, standing = recipe.part_type.name, self._standing(recipe.part_type.name)
        cause = self._plan.due(standing, recipe.sha256, self._clock.now())
        if cause is None and self._changes_over(recipe):
            cause = CHANGEOVER
        missing = self._plan.of_type.get(name, frozenset()) - standing.seen_by(recipe.sha256)
        return Asked(recipe, standing, cause, tuple(sorted(missing)))

    def _changes_over(self, recipe: Recipe) -> bool:
        name = recipe.part_type.name
        if self._current is None or self._current.part_type.name == name or name not in self._plan.of_type:
            return False
        return self._standing(name).wanted is None

    def _end(self, step: Step, before: Standing) -> tuple[Step, ...]:
        """How the round ends with this judgement; nothing where it goes on."""
        after = before.after(step)
        if step.wrong:
            return (step.ending("failed"),)
        if step.right and after.seen_by(step.recipe_sha256 or "") >= self._plan.of_type[step.part_type]:
            return (step.ending("passed"),)
        return ()

    def _standing(self, part_type: str) -> Standing:
        return self._standings.get(part_type, Standing())

    @staticmethod
    def _second(golden: GoldenPart, asked: Asked) -> Reason | None:
        """Why a golden part may not be laid in once more; None for one that is awaited, or begins a round."""
        if asked.cause is None or golden.part_id in asked.missing:
            return None
        return Reason(FAULTS["part.golden_refused"], f"{golden.part_id} was laid in already; {asked}")

    def _golden(self, inspection: Inspection) -> GoldenPart | None:
        return self._plan.named(inspection.part.part_id)


def found_of(judgement: Judgement) -> str | None:
    """What the station calls a part by its surface, `review` included; None where the scan could not be judged."""
    decision = judgement.decision
    if judgement.account.fault is not None or decision.algorithm1 is None or decision.fault is FAULTS["scan.late"]:
        return None
    return decision.verdict.name


def _said(judgement: Judgement) -> str:
    decision = judgement.decision
    return decision.verdict.name if decision.fault is None else f"{decision.verdict.name} ({decision.fault.code})"
