"""The torch network's answers on the golden set: what every artefact of a bundle is held against.

It is asked once, and only its probabilities are kept; every artefact is then asked about the same parts, read anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from models.dataset.named import read_image
from models.evaluation.measuring.images import picture_figures
from models.evaluation.measuring.parts import Rule, decide_part, measure, true_labels
from models.evaluation.measuring.scorers import Scorer
from models.manifest import Figures, Kind, Parity
from models.meaning import Meaning
from models.release.golden import Golden, GoldenParts, GoldenPictures
from models.release.graphs import ScoringGraph
from models.release.parity import compare
from station.core.choices import EngineName, Precision
from station.core.geometry import Geometry
from station.core.part import Pixels, Probabilities

Answers = list[Probabilities]
"""Of each part (patches, classes); a picture is a part of one patch."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The golden set, and what the torch network answers there. Made by `ask`.

    Attributes:
        golden: Parts, or pictures, that the network was not trained on.
        meaning: Of its columns.
        geometry: What it takes.
        min_confidence: Least confidence of a part with which figures are counted.
        wanted: Its answers.
    """

    golden: Golden
    meaning: Meaning
    geometry: Geometry
    min_confidence: float
    wanted: Answers

    @classmethod
    def ask(
        cls, network: ScoringGraph, golden: Golden, meaning: Meaning, geometry: Geometry, min_confidence: float
    ) -> "Yardstick":
        """Ask a network about all of the golden set.

        Raises:
            RecordingError: A golden part cannot be read.
        """
        with torch.inference_mode():
            wanted = [network(torch.from_numpy(np.array(one)))[0].numpy() for one in patches_of(golden)]
        return cls(golden, meaning, geometry, min_confidence, wanted)

    def answers(self, scorer: Scorer) -> Answers:
        """What an artefact answers there.

        Raises:
            RecordingError: A golden part cannot be read.
            ModelError: The artefact cannot be run.
        """
        return [scorer.score(patches) for patches in patches_of(self.golden)]

    def parity(self, answers: Answers, ran: tuple[EngineName, Precision]) -> Parity:
        """An artefact's answers against the torch network's.

        Args:
            answers: Of the artefact.
            ran: What ran it, and in which arithmetic.
        """
        kind: Kind = "pictures" if isinstance(self.golden, GoldenPictures) else "parts"
        return compare(self.wanted, answers, self.meaning.outputs, ran, (kind, self.golden.source))

    def figures(self, answers: Answers, told: str) -> Figures:
        """What a network with these answers reaches there.

        Args:
            answers: Of an artefact.
            told: What they were measured on, and by what, for people.
        """
        if isinstance(self.golden, GoldenPictures):
            measured = np.concatenate(answers)
            return picture_figures(self.golden.labels, measured, self.meaning, self.min_confidence, told)
        rule = Rule(self.meaning, self.geometry, self.min_confidence, self.golden.cutter)
        pairs = zip(self.golden.scans, answers, strict=True)
        parts = [
            decide_part(scan, true_labels(scan, rule), measured, self.meaning, self.min_confidence)
            for scan, measured in pairs
        ]
        return measure(parts, told)


def patches_of(golden: Golden) -> Iterator[Pixels]:
    """The patches (n, height, width) of each part, one part at a time; of a picture the picture.

    Raises:
        RecordingError: A part cannot be read.
        ModelError: The station would refuse its scan.
    """
    if isinstance(golden, GoldenParts):
        yield from (golden.cutter(read_image(scan), scan) for scan in golden.scans)
    else:
        yield from (image[None] for image in golden.images)
