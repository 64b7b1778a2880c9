"""Faults of the past, put back into the station one at a time: whoever looks for faults must find each of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from station.cell.announcement import Intake
from station.cell.judging import SurfaceJudge
from station.core.part import Announcement, LineAccount
from tests.year.rules import Rules


def _believes(_judge: SurfaceJudge, account: LineAccount) -> LineAccount:
    """What the lines say of the turn is not looked at."""
    return account


async def _loads(_intake: Intake, _part: Announcement) -> None:
    """What is announced is not looked at again before the part is loaded."""


def _in_place(*_: object) -> None:
    """Whatever was taken away lies in its place."""


@contextmanager
def witness_off() -> Iterator[None]:
    """A part that does not turn may pass."""
    with patch.object(SurfaceJudge, "witnessed", _believes):
        yield


def _blind(_rules: Rules) -> None:
    """Who only counts how often it is looked finds the fault with the first part: it is to be found by what it does."""


@contextmanager
def announcement_not_looked_at_again() -> Iterator[None]:
    """A part may be loaded in the place of another, or without permission."""
    with patch.object(Intake, "_compare_now", _loads), patch.object(Rules, "_unlooked", _blind):
        yield


@contextmanager
def deleted_database_not_noticed() -> Iterator[None]:
    """Parts may be sorted without a record."""
    with patch("station.records.database.displaced", _in_place):
        yield


PLANTED = {
    "witness off": (witness_off, {1, 7}),
    "announcement not looked at again": (announcement_not_looked_at_again, {8}),
    "deleted database not noticed": (deleted_database_not_noticed, {2}),
}
"""Each with the rules that it breaks."""
