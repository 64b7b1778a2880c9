"""What the line offers: a part, none yet, or a reason why none may be taken on."""

import asyncio

from station.cell.packml import State, Unit
from station.cell.references import References
from station.core.errors import FAULTS, PlcError, Reaction
from station.core.part import Announcement
from station.core.ports.line import PartFeed
from station.core.pulse import first_of
from station.core.reason import Reason
from station.core.recipe import Recipes

STARVED = Reason(FAULTS["plc.starved"])


class Supply:
    """The parts that come, as the state machine needs to know of them.

    Args:
        feed: What the line says.
        unit: Whoever waits for a part waits for a command too.
        recipes: What can be judged.
        references: Which golden parts are due before any other.
        starved_after_s: How long no part may come before the cell is suspended.
    """

    def __init__(
        self, feed: PartFeed, unit: Unit, recipes: Recipes, references: References, starved_after_s: float
    ) -> None:
        self._feed = feed
        self._unit = unit
        self._recipes = recipes
        self._references = references
        self._starved_after_s = starved_after_s

    @property
    def waiting(self) -> Announcement | None:
        """The part that waits to be taken on, or None."""
        return self._feed.view.waiting

    def hindrance(self) -> Reason | None:
        """Why no part may be taken on, and the cell is suspended, or None.

        Raises:
            PlcError: The line is ill in a way that does not pass by itself.
        """
        view = self._feed.view
        if view.fault is not None:
            if view.fault.reaction is not Reaction.SUSPEND:
                raise PlcError(view.fault.code, "seen while the line PLC was listened to")
            return Reason(view.fault)
        if not view.permission:
            return Reason(FAULTS["plc.no_permission"])
        part = view.waiting
        if part is not None and self._recipes.of_code(part.type_code) is None:
            return Reason(FAULTS["part.unknown_type"], f"part {part.part_id} has type code {part.type_code}")
        return self._references.hindrance(part)

    async def next(self) -> bool:
        """Return when a part waits, something hinders, or the cell leaves Execute; False: none came in time.

        Raises:
            PlcError: As for `hindrance`.
        """
        try:
            async with asyncio.timeout(self._starved_after_s):
                while self._unit.state is State.EXECUTE and self.waiting is None and not self.hindrance():
                    await self.changed()
        except TimeoutError:
            return False
        return True

    async def changed(self) -> None:
        """Return at the next change of what the line says, of the unit, or of which parts are asked for."""
        await first_of(self._feed.changed(), self._unit.changed(), self._references.asked.changed())
