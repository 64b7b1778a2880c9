"""The draws of a data folder, kept beside the labels in `labels.db`."""

from collections.abc import Iterable
from pathlib import Path

from models.errors import LabelError
from station.core.moments import moment, stamp
from station.labels.database import DATABASE, reading, writing
from station.labels.picking.lot import Draw
from station.labels.schema import read_version

ADD = "INSERT INTO draws (at, seed, below) VALUES (?, ?, ?)"
READ = "SELECT at, seed, below FROM draws ORDER BY at, number"
SINCE_VERSION = 2


class Draws:
    """The draws of a data folder; they are only ever added. Every method blocks.

    Args:
        folder: The data folder; it is made with the first draw, if need be.
        reserve_bytes: So much of its disk is the records' alone.

    Raises:
        LabelError: From every method: the disk failed or is full, locked by another program, damaged, of a newer
            version.
    """

    def __init__(self, folder: Path, reserve_bytes: int = 0) -> None:
        self._folder = folder
        self._reserve_bytes = reserve_bytes

    def add(self, draws: Iterable[Draw]) -> None:
        """Add draws, all of them or none; one that is there already is not added again."""
        rows = [(stamp(draw.at), draw.seed, draw.below) for draw in draws]
        if not rows:
            return
        with writing(self._folder, self._reserve_bytes) as connection:
            connection.executemany(ADD, rows)

    def all(self) -> list[Draw]:
        """Everything that was ever drawn, by its time."""
        with reading(self._folder) as connection:
            if connection is None or read_version(connection, self._folder / DATABASE) < SINCE_VERSION:
                return []
            rows = connection.execute(READ).fetchall()
        return [_draw(*row) for row in rows]


def _draw(at: str, seed: int, below: float) -> Draw:
    try:
        return Draw(moment(at), seed, below)
    except (ValueError, TypeError) as error:
        raise LabelError("label.database_damaged", f"a row is no draw: {error}") from error
