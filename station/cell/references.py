"""Parts that try the station and are never sorted as others: golden parts, and those of a study."""

import asyncio
from dataclasses import dataclass, field

from station.cell.challenge import Challenge
from station.cell.study import StudyDesk
from station.core.judgement import Judgement
from station.core.part import Announcement, Inspection
from station.core.pulse import Pulse
from station.core.reason import Reason
from station.core.study import Study


@dataclass(frozen=True, slots=True)
class References:
    """Both together. While a study is under way nothing passes, and no golden part is asked for.

    Attributes:
        challenge: The golden parts.
        study: The study's parts.
        asked: Beats when somebody has asked for one of them, or for no more.
    """

    challenge: Challenge
    study: StudyDesk
    asked: Pulse = field(default_factory=Pulse)

    def hindrance(self, part: Announcement | None) -> Reason | None:
        """Why this part, or any where none waits, may not be taken on, or None."""
        return self.challenge.hindrance(part) if self.study.study is None else None

    def withheld(self, inspection: Inspection, judgement: Judgement, studied: Study | None) -> Reason | None:
        """Why a part goes back to people whatever it was judged to be, or None.

        Args:
            inspection: Of the part.
            judgement: What it was judged to be.
            studied: The study that was under way when it was taken on.
        """
        return self.challenge.withheld(inspection, judgement) if studied is None else self.study.withheld(studied)

    async def save(self) -> None:
        """Write down what was demanded and begun; runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.challenge.save(), name="challenge")
            group.create_task(self.study.save(), name="study")

    async def flush(self) -> None:
        """Write down what is not written yet."""
        await self.challenge.flush()
        await self.study.flush()
