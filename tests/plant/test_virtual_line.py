"""The exported function block as the line PLC of the whole cell in virtual time: whatever befalls it, in both roles.

No part passes twice, none without a valid result, none is lost, and the block is told of each.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from unittest.mock import patch

import pytest

from drivers.plc.results import ModbusResults
from station.records.ledger import SqliteLedger
from tests.plant.virtual_line import TROUBLES, LineWorld, Role, Told, histories, play
from tests.year.misfortunes import Row

pytestmark = [pytest.mark.plant, pytest.mark.timeout(900)]

ROLES = get_args(Role)
SHORT, PARTS, KILLED_AT = 20, 6, 3
"""Parts of a short history; of one in which the station is killed once; and the number of the part at whose place."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the network lies that judges."""
    return tmp_path_factory.mktemp("line")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_block_is_told_of_each_part_once_and_of_its_true_place(folder: Path, seed: int, role: Role) -> None:
    told = play(seed, role, SHORT, folder=folder)
    assert told.violations == [], "\n".join(told.lines[-40:])
    assert told.parts == SHORT
    assert told.lives > 1


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", TROUBLES)
def test_a_trouble_comes_alone(folder: Path, name: str, role: Role) -> None:
    told = play(43, role, 4, [Row(name, 2, 0.9, 20, 1.4), Row(name, 3, 0.05, 5, 0.3)], folder=folder)
    assert told.violations == [], "\n".join(told.lines[-40:])
    assert (told.parts, told.befell) == (4, [name, name])


def test_the_same_seed_gives_the_same_bytes(folder: Path) -> None:
    first = play(5, "server", 5, folder=folder)
    assert first.lines == play(5, "server", 5, folder=folder).lines
    assert first.lines != play(6, "server", 5, folder=folder).lines


# ---------------------------------------------------------------------- killed at each moment


@dataclass(frozen=True)
class Moment:
    """When the station is killed: before or after a method has done its work for the part whose turn it is."""

    whose: type
    method: str
    after: bool


MOMENTS = {
    "its record is about to be closed": Moment(SqliteLedger, "sorted", after=False),
    "its record is closed": Moment(SqliteLedger, "sorted", after=True),
    "its place is about to be written": Moment(ModbusResults, "publish", after=False),
    "its place is written, and not read": Moment(ModbusResults, "publish", after=True),
    "its place is acknowledged": Moment(ModbusResults, "confirm", after=True),
    "that is about to be written down": Moment(SqliteLedger, "told", after=False),
    "that is written down": Moment(SqliteLedger, "told", after=True),
}


@contextmanager
def killing(moment: Moment, kill: Callable[[], None]) -> Iterator[None]:
    """Within this, the station is killed once at the moment, and nothing of it goes on."""
    work = getattr(moment.whose, moment.method)
    killed = False

    async def wrapped(self: Any, what: Any, *more: Any) -> Any:
        nonlocal killed
        number = getattr(what, "inspection", what).number
        due = not killed and number == KILLED_AT and getattr(what, "confirmed", True) is not None
        if not due:
            return await work(self, what, *more)
        killed = True
        if moment.after:
            await work(self, what, *more)
        kill()
        return await asyncio.Event().wait()

    with patch.object(moment.whose, moment.method, wrapped):
        yield
    assert killed


def killed_at(name: str, role: Role, folder: Path, *, power: bool) -> tuple[Told, LineWorld]:
    """A history in which the station is killed at this moment; the PLC's program stands still for a while then."""
    worlds: list[LineWorld] = []

    def kill() -> None:
        (world,) = worlds

        def go_on() -> None:
            world.plc.runs = True

        world.plc.runs = False
        world.base.loop.call_later(2.5, go_on)
        world.kill(power=power)

    with killing(MOMENTS[name], kill):
        return play(7, role, PARTS, [], folder, worlds.append), worlds[0]


@pytest.mark.parametrize("power", [False, True])
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", MOMENTS)
def test_a_place_is_told_whenever_the_station_is_killed(folder: Path, name: str, role: Role, power: bool) -> None:  # noqa: FBT001
    told, world = killed_at(name, role, folder, power=power)
    assert told.violations == [], "\n".join(told.lines[-60:])
    assert (told.parts, told.lives) == (PARTS, 2)
    assert len(world.plc.places) == PARTS, "the block counts none twice"


@pytest.mark.parametrize("role", ROLES)
def test_a_station_that_takes_a_place_along_when_it_is_killed_is_found_out(folder: Path, role: Role) -> None:
    async def nothing(_ledger: SqliteLedger) -> list[Any]:
        return []

    with patch.object(SqliteLedger, "untold", nothing):
        told, _world = killed_at("its record is closed", role, folder, power=False)
    assert told.violations


# ---------------------------------------------------------------------- the campaign


@pytest.mark.slow
@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("role", ROLES)
def test_ten_thousand_parts(role: Role) -> None:
    """`STATION_PARTS` parts in both roles together, drawn troubles on them."""
    wanted = int(os.environ.get("STATION_PARTS", "10000")) // len(ROLES)
    through, lives = 0, 0
    for told in histories(role, wanted):
        assert told.violations == [], (told.seed, "\n".join(told.lines[-40:]))
        through, lives = through + told.parts, lives + told.lives
    assert through == wanted
    print(f"{role}: {through} parts, {lives} lives of the station")  # noqa: T201
