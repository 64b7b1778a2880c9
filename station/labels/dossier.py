"""All that is said of one part, beside what was decided and whether its scan is still the one that people saw."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from models.errors import LabelError
from station.core.records import JsonObject
from station.labels.agreement import current, findings
from station.labels.label import Label, ScanSubject, Subject
from station.labels.plain import plain, plain_finding, plain_subject
from station.labels.store import LabelStore
from station.labels.subjects import RecordedPart

DECIDED = (
    "part_id", "part_type", "entered_at", "state", "verdict", "algorithm1", "reason", "detail", "confidence",
    "deciding_patch", "defects", "confirmed_bin", "model", "model_sha256", "recipe", "recipe_sha256",
)  # fmt: skip
"""What of a record is shown beside the labels."""


@dataclass(frozen=True, slots=True)
class Dossier:
    """One part.

    Attributes:
        subject: Which.
        labels: Everything that was ever said of it, by its time.
        decided: What the records have of it by the names `DECIDED`, or None of a file that no record names.
        scan: The file with its scan, or None where there is none.
        trouble: Why that is not the scan that was archived, or labelled, in words; nothing where it is.
        former: What was said of a file that lay where this one lies now, and had another content.
    """

    subject: Subject
    labels: tuple[Label, ...]
    decided: JsonObject | None
    scan: str | None
    trouble: str = ""
    former: tuple[Label, ...] = ()

    @property
    def counting(self) -> list[Label]:
        """Of each person and place the latest label, but what was withdrawn."""
        return current(self.labels)

    def plain(self) -> JsonObject:
        """The whole as plain data, for JSON."""
        counting = self.counting
        return {
            **plain_subject(self.subject),
            "decided": self.decided,
            "scan": self.scan,
            "trouble": self.trouble or None,
            "findings": [plain_finding(finding) for finding in findings(self.labels)],
            "labels": [{**plain(label), "counts": label in counting} for label in self.labels],
            "former": [plain(label) for label in self.former],
        }


def of_inspection(record: JsonObject, folder: Path, store: LabelStore) -> Dossier:
    """What is said of an inspection.

    Args:
        record: All that is recorded of it.
        folder: The data folder.
        store: The labels.

    Raises:
        LabelError: The labels cannot be read.
    """
    part = RecordedPart(record, folder)
    trouble = ""
    if record["scan_file"] is not None:
        try:
            part.size()
        except LabelError as error:
            trouble = error.detail
    decided = {name: record[name] for name in DECIDED}
    labels = tuple(store.labels(part.subject))
    return Dossier(part.subject, labels, decided, record["scan_file"], trouble)


def of_file(path: Path, store: LabelStore) -> Dossier:
    """What is said of the scan in a file.

    Raises:
        LabelError: The labels, or the file, cannot be read.
    """
    try:
        with path.open("rb") as file:
            subject = ScanSubject(hashlib.file_digest(file, "sha256").hexdigest(), str(path.resolve()))
    except OSError as error:
        raise LabelError("label.bad_scan", f"{path} cannot be read: {error.strerror}") from error
    said = [(label, label.subject) for label in store.labels()]
    labels = tuple(label for label, of in said if of == subject)
    former = tuple(
        label for label, of in said if isinstance(of, ScanSubject) and of != subject and of.file == subject.file
    )
    trouble = f"{subject.file} was changed since it was labelled: its hash differs" if former and not labels else ""
    return Dossier(subject, labels, None, subject.file, trouble, former)
