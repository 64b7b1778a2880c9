"""What the records come to: counts over all inspections that are closed, for those who watch many stations."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

BUCKETS_MS = (5.0, 10.0, 20.0, 30.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 500.0, 1000.0)
"""Upper ends by which the times from the last line to the decision are counted."""

Key = tuple[str, ...]


@dataclass(slots=True)
class Counts:
    """The counts. An inspection is counted when it and all before it are closed; no count ever falls.

    Attributes:
        tried: Golden parts and parts of studies, by part type and `golden` or `study`; the next three are without them.
        parts: By part type, verdict (empty for a part that was withdrawn) and how it ended.
        classes: By part type and what Algorithm 1 said, of those that were judged.
        reviews: By part type and reason.
        stops: Times that the cell left Execute, by the state after and the reason (empty where it needs none).
        lines: By `expected` and `delivered`.
        blocks: By `delivered` and `discarded`.
        within: Decisions that came within each of `BUCKETS_MS` after the last line.
        decisions: All of those decisions.
        decisions_ms: What their times come to.
        models: The network that judged last and its hash, by part type.
    """

    tried: Counter[Key] = field(default_factory=Counter)
    parts: Counter[Key] = field(default_factory=Counter)
    classes: Counter[Key] = field(default_factory=Counter)
    reviews: Counter[Key] = field(default_factory=Counter)
    stops: Counter[Key] = field(default_factory=Counter)
    lines: Counter[Key] = field(default_factory=Counter)
    blocks: Counter[Key] = field(default_factory=Counter)
    within: list[int] = field(default_factory=lambda: [0] * len(BUCKETS_MS))
    decisions: int = 0
    decisions_ms: float = 0.0
    models: dict[str, tuple[str, str]] = field(default_factory=dict)


class RecordTally(Protocol):
    """What counts the records. Blocking; may be asked from any thread."""

    def read(self) -> Counts:
        """The counts as they are now, the asker's own.

        Raises:
            RecordError: No records, damaged, of a newer version, or the disk failed.
        """
