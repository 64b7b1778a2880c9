"""What is timed: strips through the network alone, and whole parts from raw scan to decision by the station's code."""

from collections.abc import Callable

import numpy as np

from station.cell.judging import SurfaceJudge
from station.core.part import Decision, PartType, Pixels, ScanHealth
from station.core.ports.network import PatchClassifier
from station.core.settings import Settings
from station.flow.decide import decide
from station.flow.patch import blocks_of
from station.host.recipes import decision_rule, lighting_of


def scoring(classifier: PatchClassifier) -> Callable[[], object]:
    """Scores one strip after the other, each of other patches."""
    geometry = classifier.geometry
    shape = (geometry.blocks_per_turn, *geometry.patches_shape)
    strips: list[Pixels] = list(np.random.default_rng(1).integers(60, 200, shape, np.uint8))
    order = iter(range(1 << 62))
    return lambda: classifier.answer(strips[next(order) % len(strips)])


def judging(
    kind: PartType, scan: Pixels, settings: Settings, classifier: PatchClassifier, blocks: int | None = None
) -> Callable[[], Decision]:
    """Judges one scan, as the cell does but for the camera; only its first blocks where their number is given."""
    taken = blocks_of(scan, classifier.geometry)[:blocks]
    rule = decision_rule(settings, kind.name, classifier)
    lighting = lighting_of(settings, kind.name, classifier.light_level)

    def judge() -> Decision:
        judge_of_part = SurfaceJudge(kind, settings.crop, classifier, settings.turn, lighting)
        scores = [judge_of_part.take(block) for block in taken]
        return decide(scores, ScanHealth(None, "", 0.0), rule)

    return judge
