"""The labels of a data folder, in its `labels.db`."""

from collections.abc import Iterable
from pathlib import Path

from station.labels.database import reading, writing
from station.labels.label import Label, Subject
from station.labels.rows import COLUMNS, Row, label_of, row_of, subject_columns

ADD = f"INSERT INTO labels ({COLUMNS}) VALUES ({', '.join('?' * len(COLUMNS.split(', ')))})"  # noqa: S608  # constants
READ = f"""SELECT {COLUMNS} FROM labels
    WHERE :subject IS NULL OR (subject = :subject AND subject_id = :subject_id) ORDER BY at, number"""  # noqa: S608
COUNT = "SELECT count(*) FROM labels"


class SqliteLabels:
    """The labels of a data folder; see `LabelStore`.

    Args:
        folder: The data folder; it is made with the first label, if need be.
        reserve_bytes: So much of its disk is the records' alone.
    """

    def __init__(self, folder: Path, reserve_bytes: int = 0) -> None:
        self._folder = folder
        self._reserve_bytes = reserve_bytes

    def add(self, labels: Iterable[Label]) -> int:
        """Add labels, all of them or none; how many are new."""
        rows = [row_of(label) for label in labels]
        if not rows:
            return 0
        with writing(self._folder, self._reserve_bytes) as connection:
            (before,) = connection.execute(COUNT).fetchone()
            connection.executemany(ADD, rows)
            (after,) = connection.execute(COUNT).fetchone()
        return int(after) - int(before)

    def labels(self, subject: Subject | None = None) -> list[Label]:
        """Everything that was ever said, of this subject or of all, by its time."""
        kind, subject_id = (None, None) if subject is None else subject_columns(subject)[:2]
        with reading(self._folder) as connection:
            if connection is None:
                return []
            rows: list[Row] = connection.execute(READ, {"subject": kind, "subject_id": subject_id}).fetchall()
            return [label_of(row) for row in rows]
