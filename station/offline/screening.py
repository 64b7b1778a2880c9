"""Parts that a pair of networks was not trained on, judged by the pair and by the full network in f32."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.engines.classifier import BundleClassifier
from models.novelty.file import Hashes
from models.screening.proving import Compared, Screenable
from station.core.algorithm1 import Outcome, algorithm1
from station.core.errors import BugError, RecordingError
from station.core.part import Pixels, Probabilities
from station.core.recording import RecordedScan
from station.core.settings import Settings
from station.core.verdicts import Verdict
from station.offline.unseen import Tell, UnseenPart, UnseenParts, strips_of

Scans = Sequence[RecordedScan | RecordingError]


@dataclass(frozen=True, slots=True)
class Rivals:
    """What is held against each other.

    Attributes:
        pair: In the station's arithmetic, at some threshold.
        full: The bundle's own network in f32, without its screener.
    """

    pair: BundleClassifier
    full: BundleClassifier


class PairedParts:
    """Parts judged by their classes alone, each once, with the least confidence of the station.

    That a part would be stopped for another reason, as unlike all good ones or late, does not count.

    Args:
        rivals: That judge them.
        settings: Part types, classes, and how a scan is cut.
        trained: Hashes of the scans that either network was trained on, or a threshold was chosen on; none is taken.
    """

    def __init__(self, rivals: Rivals, settings: Settings, trained: Hashes) -> None:
        self._rivals = rivals
        self._least = settings.decision.min_confidence
        self._table = settings.table
        self._outputs = settings.table.outputs(rivals.pair.classes)
        self._unseen = UnseenParts(rivals.pair, settings, trained, lambda _label: None)
        self.seen: set[str] = set()
        """SHA-256 of the scans of all parts that were taken."""

    @property
    def left_out(self) -> list[str]:
        """Why parts were left out, and how many for each reason."""
        return self._unseen.left_out

    def screenable(self, scans: Scans, done: Tell) -> Iterator[Screenable]:
        """The parts that the full network in f32 does not pass.

        Raises:
            RecordingError: A file cannot be read.
            ModelError: A network fails.
        """
        for part in self._taken(scans, done):
            if not self._verdict(_answered(self._rivals.full, part.patches)).passes:
                yield Screenable(self._least_threshold(part.patches))

    def compared(self, scans: Scans, done: Tell) -> Iterator[Compared]:
        """Every part as both decide it.

        Raises:
            RecordingError: A file cannot be read.
            ModelError: A network fails.
        """
        good = self._table.passing.name
        for part in self._taken(scans, done):
            rows, screened = self._by_pair(part.patches)
            pair = self._verdict(rows)
            full = self._verdict(_answered(self._rivals.full, part.patches))
            yield Compared(
                part_type=part.part_type,
                pair=pair.name,
                full=full.name,
                passes=(pair.passes, full.passes),
                is_good=part.label == good,
                patches=len(part.patches),
                screened=screened,
            )

    def _taken(self, scans: Scans, done: Tell) -> Iterator[UnseenPart]:
        for part in self._unseen.of(scans, done):
            self.seen.add(part.sha256)
            yield part

    def _verdict(self, rows: Probabilities) -> Verdict:
        outcome: Outcome = algorithm1(rows, self._outputs)
        return outcome.verdict if outcome.is_sure(self._least) else self._table.review

    def _by_pair(self, patches: Pixels) -> tuple[Probabilities, int]:
        pair, rows, screened = self._rivals.pair, [], 0
        for strip in strips_of(patches, pair.geometry):
            answer = pair.answer(strip)
            rows.append(answer.probabilities)
            screened += 0 if answer.screened is None else int(answer.screened.patches.sum())
        return np.concatenate(rows), screened

    def _least_threshold(self, patches: Pixels) -> float:
        """The highest threshold at which the pair passes the part: that at which every patch passes by one of both."""
        pair, screening = self._rivals.pair, self._rivals.pair.screening
        if screening is None:
            raise BugError("station.bug", f"{pair.model} has no screener")
        least = 1.0
        for strip in strips_of(patches, pair.geometry):
            stopped = ~self._patches_pass(pair.in_full(strip).probabilities)
            if stopped.any():
                least = min(least, float(screening.thresholds(strip)[stopped].min()))
        return least

    def _patches_pass(self, rows: Probabilities) -> NDArray[np.bool_]:
        """Which patches the network would pass, by itself and with enough confidence."""
        return np.array([self._verdict(row[None]).passes for row in rows], np.bool_)


def _answered(network: BundleClassifier, patches: Pixels) -> Probabilities:
    strips = strips_of(patches, network.geometry)
    return np.concatenate([network.in_full(strip).probabilities for strip in strips])
