"""What the replication remembers in the data folder: whose records these are, and how it fared last.

How far it has come lies in the plant's database, in the same transaction as what was told; so a database that was put
back from a backup is told again what it has lost.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self
from uuid import uuid4

from station.core.durable import write_whole
from station.core.errors import PlantError
from station.core.ports.feed import BEGINNING
from station.core.records import LastTold

BOOK = "central.json"
MOST_SAMPLES = 48
"""So many looks at the disk are kept."""
APART_S = 3600.0
"""So far they are apart at least."""


@dataclass(frozen=True, slots=True)
class Page:
    """One state of the book.

    Attributes:
        station_id: Whose records these are, made once a data folder.
        part: The last inspection that is known to be in the plant's database.
        heard_at: When the plant's database answered last; empty before that.
        fault: Code of what is wrong since then, or nothing.
        detail: What that is.
        disk: Looks at the disk: each a moment, in seconds since 1970, and the bytes that were free; oldest first.
    """

    station_id: str
    part: LastTold = BEGINNING
    heard_at: str = ""
    fault: str = ""
    detail: str = ""
    disk: tuple[tuple[float, int], ...] = ()

    def looked(self, at_s: float, free_bytes: int) -> Self:
        """With one look at the disk more, where the last is long enough ago."""
        if self.disk and 0 <= at_s - self.disk[-1][0] < APART_S:
            return self
        earlier = tuple(look for look in self.disk if look[0] < at_s)
        return replace(self, disk=(*earlier, (at_s, free_bytes))[-MOST_SAMPLES:])


class Book:
    """The book of one data folder. Every method blocks.

    Args:
        folder: The data folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / BOOK

    def read(self) -> Page | None:
        """What was written last; None where nothing was.

        Raises:
            PlantError: `plant.book_unusable`.
        """
        try:
            known = json.loads(self._path.read_bytes())
            disk = tuple((float(at), int(free)) for at, free in known.pop("disk"))
            part = LastTold(**known.pop("part"))
            page = Page(**known, part=part, disk=disk)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PlantError("plant.book_unusable", f"{self._path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PlantError("plant.book_unusable", f"{self._path} is no book of the replication: {error}") from error
        if not isinstance(page.station_id, str) or not page.station_id:
            raise PlantError("plant.book_unusable", f"{self._path} does not tell whose records these are")
        return page

    def open(self) -> Page:
        """What was written last; a book that is not there yet is begun.

        Raises:
            PlantError: `plant.book_unusable`.
        """
        page = self.read()
        if page is None:
            page = Page(str(uuid4()))
            self.write(page)
        return page

    def write(self, page: Page) -> None:
        """Write the book anew, whole.

        Raises:
            PlantError: `plant.book_unusable`.
        """
        try:
            write_whole(self._path, json.dumps({**asdict(page), "part": page.part._asdict()}).encode())
        except OSError as error:
            raise PlantError("plant.book_unusable", f"{self._path}: {error.strerror}") from error
