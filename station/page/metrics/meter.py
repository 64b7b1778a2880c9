"""What tells Prometheus: the records' counts, the cell as it is heard, the disk, and the page's own memory."""

import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

from models.version import code_version
from station.core.errors import RecordError
from station.core.tally import Counts, RecordTally
from station.page.metrics.counted import counted
from station.page.metrics.exposition import Family, written
from station.page.metrics.seen import Sections, seen

MEMORY = Path("/proc/self/statm")
RESIDENT = 1
"""Which of its numbers is the memory that is in use, in pages."""


class Meter:
    """Tells the figures of one station.

    Args:
        tally: Counts the records.
        folder: The data folder.
    """

    def __init__(self, tally: RecordTally, folder: Path) -> None:
        self._tally = tally
        self._folder = folder

    def text(self, sections: Sections, *, live: bool) -> str:
        """All figures as they are sent. Blocks.

        Args:
            sections: What the station said.
            live: Whether it is heard now.

        Raises:
            RecordError: The records cannot be read.
        """
        return written([*seen(sections, live=live), *counted(self._counts()), *self._computer()])

    def _counts(self) -> Counts:
        """The counts; nothing where the station has not recorded anything yet."""
        try:
            return self._tally.read()
        except RecordError as error:
            if error.code == "record.unknown":
                return Counts()
            raise

    def _computer(self) -> Iterator[Family]:
        disk = shutil.disk_usage(self._folder)
        yield _figure("station_disk_free_bytes", "Room on the records' disk.", disk.free)
        yield _figure("station_disk_bytes", "Size of the records' disk.", disk.total)
        resident = int(MEMORY.read_text(encoding="ascii").split()[RESIDENT]) * resource.getpagesize()
        yield _figure("station_page_resident_bytes", "Memory of the page's process.", resident)
        version = {"version": code_version()}
        yield Family("station_page_info", "gauge", "Version of the page.", (("", version, 1.0),))


def _figure(name: str, tells: str, value: float) -> Family:
    return Family(name, "gauge", tells, (("", {}, float(value)),))
