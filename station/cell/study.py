"""A study in the running cell: every part is turned and judged as often as it asks for, and goes back to people.

A part that was broken off goes on with the trials that it lacks when it is laid in again; so does the study itself
after a restart, until somebody ends it.
"""

import asyncio

import structlog

from station.core.errors import FAULTS, StationError
from station.core.judgement import Judgement
from station.core.part import Inspection
from station.core.ports.references import ReferenceBook
from station.core.reason import Reason
from station.core.study import Study

TRIALS = range(2, 21)
"""How often a part may be judged."""

log = structlog.get_logger()


class StudyDesk:
    """Whether a study is under way, and what its parts still need; used from the cell's event loop.

    Args:
        study: The one that a stop has left under way, or None.
        book: Where trials are written.
    """

    def __init__(self, study: Study | None, book: ReferenceBook) -> None:
        self._study = study
        self._book = book
        self._changes: asyncio.Queue[tuple[Study, bool]] = asyncio.Queue()

    @property
    def study(self) -> Study | None:
        """The study that is under way, or None."""
        return self._study

    def begin(self, study: Study) -> None:
        """From the next part on, each is one of the study's.

        Raises:
            StationError: `station.illegal_command`: another study is under way, or the same with other trials; or there
                cannot be so many.
        """
        if study.trials not in TRIALS:
            raise StationError("station.illegal_command", f"a study has {TRIALS[0]} to {TRIALS[-1]} trials a part")
        if self._study not in (None, study):
            raise StationError("station.illegal_command", f"study {self._study} is under way; end that one first")
        self._study = study
        self._changes.put_nowait((study, True))

    def end(self) -> None:
        """Parts are sorted again.

        Raises:
            StationError: `station.illegal_command`: none is under way.
        """
        if self._study is None:
            raise StationError("station.illegal_command", "no study is under way")
        self._changes.put_nowait((self._study, False))
        self._study = None

    @staticmethod
    def withheld(study: Study) -> Reason:
        """Why a part goes back to people whatever it was judged to be."""
        return Reason(FAULTS["part.study"], str(study))

    async def trials_left(self, study: Study | None, inspection: Inspection) -> range:
        """The trials that a part still needs, numbered from 1, whether or not the study is ended meanwhile.

        Args:
            study: The one that was under way when the part was taken on; None for none, which needs no trial.
            inspection: Of the part.

        Raises:
            RecordError: The records cannot be read.
        """
        if study is None:
            return range(0)
        return range(await self._book.trials(study, inspection.part.part_id) + 1, study.trials + 1)

    async def keep(self, study: Study, inspection: Inspection, judgement: Judgement, trial: int) -> None:
        """Write down a trial.

        Raises:
            RecordError: It cannot be written.
        """
        await self._book.keep_trial(study, inspection, trial, judgement.decision)
        log.info("trial_judged", study=study.name, trial=trial, verdict=judgement.decision.verdict.name)

    async def save(self) -> None:
        """Write down when studies begin and end; runs until cancelled."""
        while True:
            await self._write(*await self._changes.get())

    async def flush(self) -> None:
        """Write down what is not written yet."""
        while not self._changes.empty():
            await self._write(*self._changes.get_nowait())

    async def _write(self, study: Study, begun: bool) -> None:  # noqa: FBT001
        try:
            await (self._book.begin(study) if begun else self._book.end(study))
        except StationError as error:
            log.error("note_not_kept", fault=error.code, detail=error.detail, note=f"study {study.name}")
