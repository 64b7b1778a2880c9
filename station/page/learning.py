"""Data set: what networks would learn of what people have said, part by part, and the command that makes it."""

import asyncio
import shlex
import sys
from pathlib import Path

from starlette.responses import Response

from station.labels.label import BUILT_IN
from station.page.desk import PageDesk
from station.page.guard import Entry, Visit
from station.page.lessons import NextSet, next_set
from station.page.paint import painted
from station.page.roles import WHO_LABEL

PROGRAM = "station"
NAME = "next-data-set"
WITHOUT_CHECK = "100/0/0"
"""Percent for training, validation and test where a class has too few parts for all."""


async def show_data_set(visit: Visit) -> Response:
    """The screen.

    Raises:
        LabelError: The labels cannot be read.
        RecordError: The records cannot be read.
    """
    found = await asyncio.to_thread(next_set, visit.desk)
    return painted(
        visit,
        "data-set",
        found=found,
        built_in=BUILT_IN,
        command=command(visit.desk, found),
        one_alone=one_alone(found),
    )


ENTRIES = (Entry("/data-set", "GET", WHO_LABEL, show_data_set),)


def one_alone(found: NextSet) -> bool:
    """Whether a class has one part alone, so that none of it is left to check by."""
    return min(found.classes.values(), default=0) == 1


def command(desk: PageDesk, found: NextSet) -> str:
    """What is typed on the station's computer to have the data set made.

    Args:
        desk: Whose data folder and configuration these are.
        found: What the data set would hold.
    """
    program = Path(sys.executable).with_name(PROGRAM)
    words = [str(program) if program.exists() else PROGRAM, "dataset", "make", NAME, "--records", str(desk.folder)]
    configured = [] if desk.file is None else ["--config", str(desk.file)]
    whole = ["--split", WITHOUT_CHECK] if one_alone(found) else []
    return shlex.join([*words, *configured, *whole])
