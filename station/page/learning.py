"""Data set: what networks would learn of what people have said, part by part, and the command that makes it."""

import asyncio
import shlex
import sys
from pathlib import Path

from starlette.responses import Response

from station.labels.label import BUILT_IN
from station.page.desk import PageDesk
from station.page.guard import Entry, Visit
from station.page.lessons import next_set
from station.page.paint import painted
from station.page.roles import WHO_LABEL

PROGRAM = "station"
NAME = "next-data-set"


async def show_data_set(visit: Visit) -> Response:
    """The screen.

    Raises:
        LabelError: The labels cannot be read.
        RecordError: The records cannot be read.
    """
    found = await asyncio.to_thread(next_set, visit.desk)
    return painted(visit, "data-set", found=found, built_in=BUILT_IN, command=command(visit.desk))


ENTRIES = (Entry("/data-set", "GET", WHO_LABEL, show_data_set),)


def command(desk: PageDesk) -> str:
    """What is typed on the station's computer to have the data set made."""
    program = Path(sys.executable).with_name(PROGRAM)
    words = [str(program) if program.exists() else PROGRAM, "dataset", "make", NAME, "--records", str(desk.folder)]
    configured = [] if desk.file is None else ["--config", str(desk.file)]
    return shlex.join([*words, *configured])
