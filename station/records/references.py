"""Golden parts and studies in the database: written by the ledger's thread, read back at a start."""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from station.core.challenge import Step
from station.core.clock import Clock
from station.core.moments import moment, stamp
from station.core.part import Decision, Inspection
from station.core.ports.references import Remembered
from station.core.study import Study
from station.records.journal import last_taken_on
from station.records.store import number_of

Commit = Callable[..., Awaitable[Any]]
"""Runs a function over the database's connection, in one transaction of the ledger's thread."""

STEP = """INSERT INTO challenges (at, part_type, event, cause, golden, inspection, expected, found, recipe_sha256)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
STEPS = """SELECT at, part_type, event, cause, golden, inspection, expected, found, recipe_sha256 FROM challenges c
    WHERE number >= coalesce((SELECT max(number) FROM challenges p
        WHERE p.part_type = c.part_type AND p.event = 'passed'), 0)
    ORDER BY number"""
BEGUN = "INSERT OR IGNORE INTO studies (name, trials, begun_at) VALUES (?, ?, ?)"
ENDED = "UPDATE studies SET ended_at = ? WHERE name = ? AND ended_at IS NULL"
UNDER_WAY = "SELECT name, trials FROM studies WHERE ended_at IS NULL ORDER BY number DESC LIMIT 1"
TRIAL = """INSERT INTO trials (study, inspection, trial, at, verdict, algorithm1, reason, detail, confidence)
    SELECT number, ?, ?, ?, ?, ?, ?, ?, ? FROM studies WHERE name = ?"""
TRIALS = """SELECT count(*) FROM trials t JOIN studies s ON s.number = t.study JOIN inspections i
    ON i.number = t.inspection WHERE s.name = ? AND i.part_id = ?"""


class SqliteReferences:
    """The book of challenges and studies of a ledger.

    Args:
        commit: The ledger's.
        clock: The date.
    """

    def __init__(self, commit: Commit, clock: Clock) -> None:
        self._commit = commit
        self._clock = clock

    async def remembered(self) -> Remembered:
        """What is taken over at a start."""
        found: Remembered = await self._commit(remembered)
        return found

    async def keep(self, steps: Sequence[Step]) -> None:
        """Write down what happened to challenges, all of it or nothing."""
        await self._commit(keep, steps)

    async def begin(self, study: Study) -> None:
        """Write down that a study is under way."""
        await self._commit(begin, study, self._clock.now())

    async def end(self, study: Study) -> None:
        """Write down that a study has ended."""
        await self._commit(end, study, self._clock.now())

    async def keep_trial(self, study: Study, inspection: Inspection, trial: int, decision: Decision) -> None:
        """Write down what one turn of a part was judged to be."""
        await self._commit(keep_trial, study, inspection, trial, decision, self._clock.now())

    async def trials(self, study: Study, part_id: str) -> int:
        """How many trials a part has had in a study."""
        count: int = await self._commit(trials, study, part_id)
        return count


def remembered(connection: sqlite3.Connection) -> Remembered:
    """The challenges' steps from each type's last passed one on, the study under way, and the last part."""
    steps = [Step(moment(row[0]), *row[1:]) for row in connection.execute(STEPS)]
    study = connection.execute(UNDER_WAY).fetchone()
    return Remembered(steps, Study(*study) if study else None, last_taken_on(connection))


def keep(connection: sqlite3.Connection, steps: Sequence[Step]) -> None:
    """Write steps down."""
    connection.executemany(STEP, [_row(step) for step in steps])


def begin(connection: sqlite3.Connection, study: Study, at: datetime) -> None:
    """Begin a study, unless it has begun."""
    connection.execute(BEGUN, (study.name, study.trials, stamp(at)))


def end(connection: sqlite3.Connection, study: Study, at: datetime) -> None:
    """End a study, unless it has ended."""
    connection.execute(ENDED, (stamp(at), study.name))


def keep_trial(
    connection: sqlite3.Connection, study: Study, inspection: Inspection, trial: int, decision: Decision, at: datetime
) -> None:
    """Write a trial; the study is begun where nobody has written that down yet.

    Raises:
        BugError: The inspection was never entered.
    """
    begin(connection, study, at)
    found = (
        decision.verdict.name,
        decision.algorithm1.name if decision.algorithm1 else None,
        decision.fault.code if decision.fault else None,
        decision.detail,
        decision.confidence,
    )
    connection.execute(TRIAL, (number_of(connection, inspection), trial, stamp(at), *found, study.name))


def trials(connection: sqlite3.Connection, study: Study, part_id: str) -> int:
    """How many trials a part has had in a study, over all its inspections."""
    return int(connection.execute(TRIALS, (study.name, part_id)).fetchone()[0])


def _row(step: Step) -> tuple[object, ...]:
    judged = (step.golden, step.inspection, step.expected, step.found, step.recipe_sha256)
    return stamp(step.at), step.part_type, step.name, step.cause, *judged
