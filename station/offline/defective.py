"""Defective parts that a network was not trained on, each with the confidence with which it would pass."""

from collections.abc import Sequence

import numpy as np

from models.novelty.file import Hashes
from models.promise.proving import DefectivePart
from station.core.algorithm1 import algorithm1
from station.core.errors import RecordingError
from station.core.part import Pixels
from station.core.ports.network import PatchClassifier
from station.core.recording import RecordedScan
from station.core.settings import Settings
from station.labels.label import CANNOT_BE_JUDGED
from station.offline.unseen import Tell, UnseenParts, strips_of


class DefectiveParts:
    """Defective parts, each judged once by its classes alone.

    That a part would be stopped for another reason, as unlike all good ones or late, does not count: what is promised
    does not lean on it. A part whose scan the station would refuse is left out.

    Args:
        network: That judges them.
        settings: Part types, classes, and how a scan is cut.
        trained: Hashes of the scans that the network was trained on; none of them is taken.
    """

    def __init__(self, network: PatchClassifier, settings: Settings, trained: Hashes) -> None:
        self._network = network
        self._outputs = settings.table.outputs(network.classes)
        self._passing = settings.table.passing.name
        self._unseen = UnseenParts(network, settings, trained, self._refusal)

    @property
    def left_out(self) -> list[str]:
        """Why parts were left out, and how many for each reason."""
        return self._unseen.left_out

    def of(
        self, scans: Sequence[RecordedScan | RecordingError], done: Tell = lambda _done, _all: None
    ) -> list[DefectivePart]:
        """The defective parts of some scans, of each part its first one.

        Args:
            scans: What there is, and why some of it cannot be used.
            done: Told after each scan.

        Raises:
            RecordingError: A file cannot be read.
            ModelError: The network fails.
        """
        parts = self._unseen.of(scans, done)
        return [DefectivePart(part.part_type, part.sha256, self._confidence(part.patches)) for part in parts]

    def _refusal(self, label: str | None) -> str | None:
        if label is None:
            return "have no label"
        return f"are labelled {label}" if label in {self._passing, CANNOT_BE_JUDGED} else None

    def _confidence(self, patches: Pixels) -> float | None:
        """With what confidence the part would pass; None where a patch is called defective."""
        network = self._network
        answers = [network.answer(strip).probabilities for strip in strips_of(patches, network.geometry)]
        outcome = algorithm1(np.concatenate(answers), self._outputs)
        return outcome.confidence if outcome.verdict.passes else None
