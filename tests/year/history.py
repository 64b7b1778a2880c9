"""One history of the cell: parts and misfortunes, from the station's first life to its records at the end."""

import asyncio
import hashlib
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import structlog

from station.records import opening, store
from tests.year.ground import Parts, base_for, bundle_in
from tests.year.judging import Table, encoder_from, finder_from, judge_from
from tests.year.loop import StandsStillError, YearLoop, run
from tests.year.misfortunes import Row, befall, draw
from tests.year.rules import Rules
from tests.year.world import Chronicle, World

PART_S, MISFORTUNE_S = 3.0, 30.0
"""How long a part, and a misfortune, may take before the line counts as one that stands."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # a disk that syncs at once; each run has a folder of its own


@dataclass
class Told:
    """What became of a history.

    Attributes:
        seed: As given.
        lines: All that happened.
        violations: Rules that were broken, and how; rule 0 is that the line must not stand.
        parts: How many parts left the cell.
        lives: How often the station was started.
        codes: Faults that it showed.
        took_s: Real time.
        virtual_s: Its own time, from 1000 on.
        steps: How many steps it took.
        befell: Which misfortunes truly came.
    """

    seed: int
    lines: list[str] = field(default_factory=list)
    violations: list[tuple[int, str]] = field(default_factory=list)
    parts: int = 0
    lives: int = 0
    codes: set[str] = field(default_factory=set)
    took_s: float = 0.0
    virtual_s: float = 0.0
    steps: int = 0
    befell: list[str] = field(default_factory=list)

    @property
    def content(self) -> bytes:
        """The history as it is compared."""
        return "\n".join(self.lines).encode()

    @property
    def sha256(self) -> str:
        """Its hash."""
        return hashlib.sha256(self.content).hexdigest()


TABLE = Table(Random(0))  # noqa: S311


class _Letters:
    """What stands in the place of the system's chance, so that ids come again."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(f"{seed} letters")  # noqa: S311

    def choice(self, letters: str) -> str:
        return self._chance.choice(letters)


@contextmanager
def _made_up(world: World, seed: int) -> Iterator[None]:
    """Whatever the station asks of the system is made up, too."""
    with (
        patch.object(store, "secrets", _Letters(seed)),
        patch.object(opening, "BUSY_TIMEOUT_S", 0.0),
        patch("station.cell.inspector.SurfaceJudge", judge_from(world.base.table)),
        patch("station.cell.locating.find_defects", finder_from(world.base.table)),
        patch("station.records.archive.encode_scan", encoder_from(world.base.table)),
        patch("station.cell.journey.cores_awake", _asleep),
        patch("station.records.ledger.free_bytes", lambda _folder: world.base.disk.free),
    ):
        configured = structlog.get_config()
        structlog.configure(processors=[world.log], cache_logger_on_first_use=False)
        noisy = [logging.getLogger(name) for name in ("pymodbus", "asyncio")]
        levels = [one.level for one in noisy]
        for one in noisy:
            one.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            structlog.configure(**configured)
            for one, level in zip(noisy, levels, strict=True):
                one.setLevel(level)


@contextmanager
def _asleep(**_: Any) -> Iterator[bool]:
    yield False


def play(
    seed: int, parts: int, rows: Sequence[Row] | None = None, folder: Path | None = None, table: Table | None = None
) -> Told:
    """Play a history.

    Args:
        seed: Of everything that is drawn.
        parts: How many are fed.
        rows: The misfortunes; None for those that the seed draws.
        folder: Where the network lies and the disk may be; None for a folder of its own.
        table: Of judgements; None for the process' own.
    """
    rows = draw(seed, parts) if rows is None else rows
    told, began_s = Told(seed), time.perf_counter()
    where = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    root = Path(tempfile.mkdtemp(prefix="station-year-", dir=where))
    loop = YearLoop()
    try:
        bundle = bundle_in(folder or Path(_shared().name))
        rules = Rules()
        base = base_for(loop, root, bundle, seed, table or TABLE)
        base.table.otherwise.clear()
        feed = Parts(parts, Random(f"{seed} parts"))  # noqa: S311
        world = World(base, rules, Chronicle(root), feed)
        try:
            with _made_up(world, seed):
                run(loop, _played(world, rows))
                world.mend_disk()
                rules.close()
        except (StandsStillError, ExceptionGroup, AssertionError) as error:
            world.broken(0, f"{type(error).__name__}: {error}")
        told.lines, told.violations = world.chronicle.lines, world.chronicle.violations
        told.parts, told.lives, told.codes = sum(rules.truth.laid.values()), world.lives, rules.codes
        told.virtual_s, told.steps, told.befell = loop.time(), loop.steps, world.chronicle.befell
    finally:
        if not loop.is_closed():
            loop.close()
        shutil.rmtree(root, ignore_errors=True)
    told.took_s = time.perf_counter() - began_s
    return told


@cache
def _shared() -> tempfile.TemporaryDirectory[str]:
    """A folder of this process; it is removed with it."""
    return tempfile.TemporaryDirectory(prefix="station-year-")


async def _played(world: World, rows: Sequence[Row]) -> None:
    for row in rows:
        world.when_fed(row.part, partial(befall, world, row))
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, said: _unhandled(world, said))
    patience_s = 60 + PART_S * world.parts.count + MISFORTUNE_S * len(rows)
    async with world.begun():
        began_s = loop.time()
        while not world.is_done and not world.chronicle.violations:
            if loop.time() - began_s > patience_s:
                state = world.life.desk.view if world.life and world.life.desk else None
                world.broken(
                    0, f"the line stands after {patience_s:.0f} s: {state and (state.state.name, state.reason)}"
                )
                break
            await asyncio.sleep(0.5)
        await asyncio.sleep(1.0)
    for end in world.at_end:
        end()


def _unhandled(world: World, said: dict[str, Any]) -> None:
    task = said.get("task") or said.get("future")
    owner = getattr(task, "owner", None)
    if not getattr(owner, "dead", False):
        world.tell("loop", f"{said['message']}: {said.get('exception')!r}")
        world.broken(5, f"{said['message']}: {said.get('exception')!r}")
