"""What the node must remember over its own end: how often it was born, and what the broker is known to have had."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from station.core.durable import write_whole
from station.core.errors import PlantError
from station.core.records import LastTold

BOOK = "sparkplug.json"
BIRTHS = 256
"""bdSeq is counted so far. Source: Sparkplug 3.0.0, tck-id-topics-nbirth-bdseq-increment."""


@dataclass(frozen=True, slots=True)
class Page:
    """One state of the book.

    Attributes:
        bd_seq: Of the last connection, 0 to 255; -1 before the first.
        part: The last part that the broker is known to have had; None before the first.
        states_until: The moment up to which it is known to have had every change of state; None before the first.
    """

    bd_seq: int = -1
    part: LastTold | None = None
    states_until: str | None = None

    def born(self) -> Self:
        """The page of the next connection."""
        return replace(self, bd_seq=(self.bd_seq + 1) % BIRTHS)


class Book:
    """The book of one data folder. Every method blocks.

    Args:
        folder: The data folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / BOOK

    def read(self) -> Page:
        """What was written last; a book that is not there yet is empty.

        Raises:
            PlantError: `sparkplug.book_unusable`.
        """
        try:
            known = json.loads(self._path.read_bytes())
            part = known["part"] and LastTold(**known["part"])
            return Page(int(known["bd_seq"]), part, known["states_until"])
        except FileNotFoundError:
            return Page()
        except OSError as error:
            raise PlantError("sparkplug.book_unusable", f"{self._path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise PlantError("sparkplug.book_unusable", f"{self._path} is none: {error!r}") from error

    def write(self, page: Page) -> None:
        """Have this on the disk.

        Raises:
            PlantError: `sparkplug.book_unusable`.
        """
        known = {**asdict(page), "part": page.part and page.part._asdict()}
        try:
            write_whole(self._path, json.dumps(known, indent=1).encode() + b"\n")
        except OSError as error:
            raise PlantError("sparkplug.book_unusable", f"{self._path}: {error.strerror}") from error
