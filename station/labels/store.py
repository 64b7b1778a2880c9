"""Where labels are kept, as those who label, import and export see it."""

from collections.abc import Iterable
from typing import Protocol

from station.labels.label import Label, Subject


class LabelStore(Protocol):
    """Labels that are only ever added. Every method blocks.

    Raises:
        LabelError: From every method: the disk failed or is full, locked by another program, damaged, of a newer
            version.
    """

    def add(self, labels: Iterable[Label]) -> int:
        """Add labels, all of them or none; how many are new, for what was said already is not said again.

        It returns when they are on the disk. Two labels are the same that have subject, region, class, person and time
        in common.
        """

    def labels(self, subject: Subject | None = None) -> list[Label]:
        """Everything that was ever said, of this subject or of all, by its time; what came at one time as it came."""
