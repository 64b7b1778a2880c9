"""The scans that may be labelled, as the records tell of them, and how unsure the network was of each.

Source: B. Settles, Active Learning Literature Survey (2009), section 3.1: margin and entropy.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from station.core.records import JsonObject

STRANGE = 0.1
"""Of good parts the share that counts as strange at all, the strangest of them as much as a mere guess."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """How unsure the judgement of a part was.

    Attributes:
        margin: Between the two likeliest classes of the deciding patch, 0 to 1.
        entropy: Of its probabilities, 0 of a certain one to 1 of a mere guess.
        novelty_p: How often a good part would look so strange by chance; None where nobody has looked.
    """

    margin: float
    entropy: float
    novelty_p: float | None = None

    @property
    def degree(self) -> float:
        """The larger of two, 0 to 1: how unsure by margin and entropy alike, and how strange."""
        strange = 0.0 if self.novelty_p is None else max(0.0, 1 - self.novelty_p / STRANGE)
        return max((1 - self.margin + self.entropy) / 2, strange)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A part whose scan lies in the archive.

    Attributes:
        inspection_id: Its latest inspection with an archived scan.
        part_id: The part.
        part_type: Its type.
        entered_at: When it was inspected; see `station.core.moments`.
        verdict: The final one, by name.
        reason: Why it is no other, a fault's code, or None.
        confidence: Of the verdict, 0 to 1.
        patch: The deciding one, from 0; None where nothing was judged.
        doubt: How unsure that was; None where nothing was judged.
        scan: The scan's file.
        sha256: Of that file, when it was archived.
    """

    inspection_id: str
    part_id: str
    part_type: str
    entered_at: str
    verdict: str
    reason: str | None
    confidence: float
    patch: int | None
    doubt: Doubt | None
    scan: Path
    sha256: str


def candidates(records: Iterable[JsonObject], folder: Path) -> list[Candidate]:
    """One a part, of its latest inspection, where the file of the scan is there.

    Args:
        records: Of archived scans, oldest first; see `RecordReader.archived`.
        folder: The data folder.
    """
    latest = {record["part_id"]: record for record in records if (folder / record["scan_file"]).is_file()}
    return [_candidate(record, folder) for record in latest.values()]


def doubt_of(probabilities: Sequence[float | None], novelty_p: float | None = None) -> Doubt | None:
    """How unsure a patch's probabilities are; None where they are not those of two classes at least."""
    known = [one for one in probabilities if one is not None]
    if len(known) < 2 or len(known) < len(probabilities):
        return None
    first, second = sorted(known, reverse=True)[:2]
    entropy = -sum(one * math.log(one) for one in known if one > 0) / math.log(len(known))
    return Doubt(first - second, entropy, novelty_p)


def _candidate(record: JsonObject, folder: Path) -> Candidate:
    patch: int | None = record["deciding_patch"]
    row = [] if patch is None else record["probabilities"][patch]
    return Candidate(
        **{name: record[name] for name in ("inspection_id", "part_id", "part_type", "entered_at", "verdict", "reason")},
        confidence=record["confidence"],
        patch=patch,
        doubt=doubt_of(row, record.get("novelty_p")),
        scan=folder / record["scan_file"],
        sha256=record["scan_sha256"],
    )
