"""Which labels are asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from station.core.moments import moment
from station.labels.label import InspectionSubject, Label, Source, Subject


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """Which labels are asked for; None or nothing for all.

    Attributes:
        classes: That say one of these.
        who: Of one of these people.
        sources: From one of these.
        since: Said at this moment or later, as `station.core.moments` writes it.
        until: Said before this moment.
        subject: Of what begins so: an inspection's id or a scan's hash; or of a file of this name.
    """

    classes: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    since: str | None = None
    until: str | None = None
    subject: str | None = None

    def of(self, labels: Iterable[Label]) -> list[Label]:
        """Those of the labels that are asked for, in their order."""
        return [label for label in labels if self._says_so(label) and self._said_then(label)]

    def _says_so(self, label: Label) -> bool:
        return (
            (not self.classes or label.class_name in self.classes)
            and (not self.who or label.who in self.who)
            and (not self.sources or label.source in self.sources)
            and (self.subject is None or is_meant(label.subject, self.subject))
        )

    def _said_then(self, label: Label) -> bool:
        return (self.since is None or label.at >= moment(self.since)) and (
            self.until is None or label.at < moment(self.until)
        )


def is_meant(subject: Subject, text: str) -> bool:
    """Whether a person means this subject by the beginning of its id or hash, or by its file's name or whole path."""
    if isinstance(subject, InspectionSubject):
        return subject.inspection_id.startswith(text.upper())
    return subject.sha256.startswith(text.lower()) or text in {subject.file, PurePath(subject.file).name}
