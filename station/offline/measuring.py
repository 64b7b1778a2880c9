"""What a measurement takes from the station: crop, patches and engine, so that it judges what the cell would.

Nothing here is used by the running cell.
"""

from functools import partial
from pathlib import Path

import numpy as np

from models.dataset.scans import LabelledScan
from models.evaluation.measurement import Instrument
from models.evaluation.measuring.parts import Cutter, cut_at_truth
from models.evaluation.measuring.progress import Progress
from models.evaluation.measuring.scorers import BundleScorer, Scorer
from models.evidence import evidence_map
from station.core.errors import ConfigError, PartError
from station.core.part import Block, PartType, Pixels
from station.core.settings import Settings
from station.flow.crop import check_width, crop_block, find_part
from station.flow.patch import StripRoom, blocks_of, make_strip
from station.flow.turn.witness import TurnWitness
from station.host.bundles import find_bundle, make_classifier

CHECKPOINT = ".pt"


class StationCutter:
    """Steps 2 and 3 of a part's way on a whole scan: finds the part as the cell does, and refuses what it would.

    Args:
        settings: Part types and how the part is told from the background.
    """

    def __init__(self, settings: Settings) -> None:
        self._crop = settings.crop
        self._turn = settings.turn
        self._geometry = settings.geometry.value()
        self._types = [kind.part_type(name) for name, kind in settings.part_types.items()]

    def __call__(self, image: Pixels, scan: LabelledScan) -> Pixels:
        """The patches (16, 256, 256) of a raw scan (3584, width).

        Raises:
            PartError: The station would refuse the scan.
        """
        blocks = blocks_of(np.ascontiguousarray(image), self._geometry)
        roi = find_part(blocks[0].pixels, self._crop)
        part_type = self._nearest(blocks[0], roi.width, scan)
        check_width(roi, part_type)
        witness = TurnWitness(self._turn if scan.closed else self._turn.of_open_turns(), self._geometry)
        crops = []
        for block in blocks:
            witness.take(block, roi)
            crops.append(crop_block(block, roi, part_type, self._crop))
        if witness.doubt is not None:
            raise witness.doubt
        return np.concatenate([make_strip(crop, StripRoom(self._geometry)).patches for crop in crops])

    def _nearest(self, block: Block, width_px: int, scan: LabelledScan) -> PartType:
        if not self._types:
            raise PartError("part.wrong_width", f"{scan.part_id}, block {block.index}: no part type is configured")
        return min(self._types, key=lambda kind: abs(kind.width_px - width_px))


def open_scorer(model: str, settings: Settings) -> tuple[Scorer, str]:
    """A bundle, or a checkpoint, ready to score, and in words what computes it.

    Args:
        model: promoted, name of a shipped bundle, a bundle's folder, or a checkpoint file.
        settings: Engine, arithmetic and threads.

    Raises:
        ModelError: The bundle cannot be used.
        TrainingError: The checkpoint cannot be used.
        ImportError: A checkpoint needs the training packages.
    """
    if model.endswith(CHECKPOINT):
        from models.training.scorer import CheckpointScorer  # noqa: PLC0415 # torch is an extra

        return CheckpointScorer(Path(model), settings.model.threads), "torch, f32, CPU"
    chosen = settings.model_copy(update={"model": settings.model.model_copy(update={"bundle": model})})
    classifier = make_classifier(chosen)
    classes = find_bundle(chosen).manifest.classes
    engine = getattr(settings.model, "engine", "openvino")
    return BundleScorer(classifier, classes), f"{engine}, {settings.model.precision}"


def open_instrument(model: str, settings: Settings, cropping: str, progress: Progress) -> Instrument:
    """Everything that a measurement needs.

    Args:
        model: As in `open_scorer`.
        settings: The station's.
        cropping: `station` to find the part as the cell does, `truth` to take the columns that the truth names.
        progress: Shows how far it is.

    Raises:
        ConfigError: No such cropping.
        ModelError: The bundle cannot be used.
        TrainingError: The checkpoint cannot be used.
    """
    ways: dict[str, tuple[Cutter, str]] = {
        "station": (StationCutter(settings), "the station's crop"),
        "truth": (cut_at_truth, "the truth's columns"),
    }
    if cropping not in ways:
        raise ConfigError("config.bad_option", f"--crop {cropping}: station or truth")
    scorer, engine = open_scorer(model, settings)
    cutter, words = ways[cropping]
    evidence = partial(evidence_map, scorer.score)
    return Instrument(scorer, engine, cutter, words, settings.decision.min_confidence, evidence, progress)
