"""What a measurement takes from the station: crop, patches and engine, so that it judges what the cell would.

Nothing here is used by the running cell.
"""

from functools import partial
from pathlib import Path

import numpy as np

from models.dataset.named import KnownScan, NamedScan, People
from models.engines import make_engine
from models.evaluation.measurement import Instrument, Judging
from models.evaluation.measuring.defects import Scale
from models.evaluation.measuring.parts import (
    NoveltyOf,
    PassesFrom,
    Rule,
    any_pass,
    cutter_at_truth,
    nothing_known,
    true_columns,
)
from models.evaluation.measuring.progress import Progress
from models.evaluation.measuring.scorers import BundleScorer, Scorer
from models.evidence import evidence_map
from models.meaning import meaning_of
from models.release.shelf import chosen_bundle
from station.core.errors import ConfigError, PartError
from station.core.geometry import Geometry
from station.core.novelty.conformal import NoveltyRule
from station.core.part import PartType, Pixels, Roi
from station.core.settings import Settings
from station.flow.crop import find_part
from station.flow.pixels.library import library
from station.host.bundles import find_shelf
from station.host.recipes import lighting_of
from station.offline.cropping import cut_scan, kind_of, proofs_of

CHECKPOINT = ".pt"


class StationCutter:
    """Steps 2 and 3 of a part's way on a whole scan: finds and lights it as the cell does, and refuses what it would.

    Args:
        settings: Part types and how the part is told from the background.
        geometry: How the network takes a turn.
        light_level: The median grey value that it knows, as its bundle says, or None.

    Raises:
        ConfigError: No part type has this geometry.
    """

    def __init__(self, settings: Settings, geometry: Geometry, light_level: float | None = None) -> None:
        self._settings = settings
        self._light_level = light_level
        self._lines_per_block = geometry.lines_per_block
        self._types = [kind for kind in settings.known_types if kind.geometry == geometry]
        if not self._types:
            raise ConfigError("config.invalid", f"the network takes {geometry}; no part type has this geometry")

    def __call__(self, image: Pixels, scan: KnownScan) -> Pixels:
        """The patches (patches, height, width) of a raw scan (lines of a turn, width).

        Raises:
            PartError: The station would refuse the scan.
        """
        settings = self._settings
        kind = kind_of(image, self._types, settings.crop)
        lighting = lighting_of(settings, kind.name, self._light_level)
        return cut_scan(image, kind, settings.crop, proofs_of(scan, settings.turn), lighting)

    def kind(self, image: Pixels, scan: KnownScan) -> PartType:
        """The part's type: the recorded one where it is configured, else the one of the nearest width.

        Raises:
            PartError: No part is found, or its width is that of no type.
        """
        recorded = next((kind for kind in self._types if kind.name == scan.part_type), None)
        return recorded or kind_of(image, self._types, self._settings.crop)

    def columns(self, image: Pixels, scan: KnownScan) -> Roi:
        """The part's columns on a raw scan: the truth's where there is one, else those that the cell finds.

        All of them where the cell finds no part.
        """
        if not isinstance(scan, NamedScan):
            return true_columns(image, scan)
        try:
            return find_part(np.ascontiguousarray(image[: self._lines_per_block]), self._settings.crop)
        except PartError:
            return Roi(0, image.shape[1])


def novelty_of(scorer: Scorer, settings: Settings) -> NoveltyOf:
    """From when on parts count as unknown by a network, as in the cell.

    Raises:
        ConfigError: No part type has the network's geometry.
    """
    known = scorer.known
    if known is None:
        return nothing_known
    cutter = StationCutter(settings, scorer.geometry or settings.geometry.value())
    alpha = settings.novelty.alpha
    return lambda image, scan: NoveltyRule(alpha, known.calibrations.get(cutter.kind(image, scan).name))


def passes_from(scorer: Scorer, settings: Settings) -> PassesFrom:
    """With what confidence parts pass by a network, where what is promised of it takes more, as in the cell.

    Raises:
        ConfigError: No part type has the network's geometry.
    """
    promises = scorer.promises
    if not promises:
        return any_pass
    cutter = StationCutter(settings, scorer.geometry or settings.geometry.value())

    def least(image: Pixels, scan: KnownScan) -> float:
        promise = promises.get(cutter.kind(image, scan).name)
        return promise.least if promise else 0.0

    return least


def open_scorer(model: str, settings: Settings) -> tuple[Scorer, str]:
    """A bundle, or a checkpoint, ready to score, and in words what computes it.

    Args:
        model: promoted, name of a shipped bundle, a bundle's folder, or a checkpoint file.
        settings: Engine, arithmetic and threads.

    Raises:
        ConfigError: The compiled passes over pixels are missing.
        ModelError: The bundle cannot be used.
        TrainingError: The checkpoint cannot be used.
        ImportError: A checkpoint needs the training packages.
    """
    if model.endswith(CHECKPOINT):
        from models.training.scorer import CheckpointScorer  # noqa: PLC0415 # torch is an extra

        return CheckpointScorer(Path(model), settings.model.threads), "torch, f32, CPU"
    library()
    bundle = chosen_bundle(model, find_shelf(settings))
    scorer = BundleScorer(make_engine(bundle, settings.model))
    return scorer, f"{settings.model.engine}, {settings.model.precision}"


def open_instrument(model: str, settings: Settings, progress: Progress) -> Instrument:
    """A network ready to measure.

    Args:
        model: As in `open_scorer`.
        settings: The station's.
        progress: Shows how far it is.

    Raises:
        ModelError: The bundle cannot be used.
        TrainingError: The checkpoint cannot be used.
    """
    scorer, engine = open_scorer(model, settings)
    return Instrument(scorer, engine, partial(evidence_map, scorer.in_full), progress)


def open_judging(scorer: Scorer, settings: Settings, cropping: str, people: People | None = None) -> Judging:
    """How the station would judge whole parts with a network.

    Args:
        scorer: The network that judges their patches.
        settings: The station's: classes, least confidence, part types; its geometry where the network tells none.
        cropping: `station` to find the part as the cell does, `truth` to take the columns that the truth names.
        people: What people say of parts; None to go by recordings alone.

    Raises:
        ConfigError: No such cropping, or the cell's geometry is another than the network's.
        ModelError: `model.wrong_classes`: the configuration does not have the network's classes.
    """
    geometry = scorer.geometry or settings.geometry.value()
    if cropping not in {"station", "truth"}:
        raise ConfigError("config.bad_option", f"--crop {cropping}: station or truth")
    meaning, least = meaning_of(scorer.classes, settings.table, scorer.name), settings.decision.min_confidence
    scale, novelty, passes = scale_of(settings, geometry), novelty_of(scorer, settings), passes_from(scorer, settings)
    if cropping == "truth":
        rule = Rule(meaning, geometry, least, cutter_at_truth(geometry), novelty_of=novelty, passes_from=passes)
        return Judging(rule, "the truth's columns", scale, people)
    cutter = StationCutter(settings, geometry, scorer.light_level)
    rule = Rule(meaning, geometry, least, cutter, cutter.columns, novelty, passes)
    return Judging(rule, "the station's crop", scale, people)


def scale_of(settings: Settings, geometry: Geometry) -> Scale | None:
    """How long pixels are: a turn of so many lines goes once round the part. None where columns have no width."""
    if settings.camera.mm_per_px is None:
        return None
    lengths = {name: np.pi * kind.outer_diameter_mm / geometry.lines_per_turn
               for name, kind in settings.part_types.items()}  # fmt: skip
    return Scale(settings.camera.mm_per_px, lengths)
