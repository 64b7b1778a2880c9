"""Labels for whoever copies them elsewhere: in the order in which they came, from where it was left."""

from pathlib import Path

from station.labels.database import reading
from station.labels.rows import COLUMNS, Row

AFTER = f"SELECT number, {COLUMNS} FROM labels WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608  # constants
COUNT = "SELECT count(*) FROM labels"


def read_labels(folder: Path, after: int, limit: int) -> list[tuple[int, Row]]:
    """The labels behind this number, at most `limit`, each with its number. Blocks.

    Raises:
        LabelError: Damaged, of a newer version, or the disk failed.
    """
    with reading(folder) as connection:
        if connection is None:
            return []
        return [(number, tuple(row)) for number, *row in connection.execute(AFTER, (after, limit))]


def count_labels(folder: Path) -> int:
    """How many labels there are. Blocks.

    Raises:
        LabelError: Damaged, of a newer version, or the disk failed.
    """
    with reading(folder) as connection:
        return 0 if connection is None else int(connection.execute(COUNT).fetchone()[0])
