"""Labels in memory."""

from collections.abc import Iterable

from station.core.moments import moment, stamp
from station.labels.label import Label, Subject


class FakeLabels:
    """A store of labels that ends with the test; see `station.labels.store.LabelStore`."""

    def __init__(self) -> None:
        self._said: dict[tuple[object, ...], Label] = {}

    def add(self, labels: Iterable[Label]) -> int:
        before = len(self._said)
        for label in list(labels):
            at = stamp(label.at)
            self._said.setdefault((label.subject, label.region, label.class_name, label.who, at), label)
        return len(self._said) - before

    def labels(self, subject: Subject | None = None) -> list[Label]:
        found = [label for label in self._said.values() if subject in (None, label.subject)]
        return sorted(found, key=lambda label: moment(stamp(label.at)))
