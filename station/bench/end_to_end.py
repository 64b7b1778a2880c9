"""From raw scans in memory to decisions: find the part, crop, resize, score, decide; by the station's own code."""

from collections.abc import Callable
from typing import Any

from station.bench.housings import raw_scans
from station.bench.plan import BenchPlan
from station.bench.timing import median, times_s
from station.build import make_classifier
from station.core.part import PartType, Pixels, ScanHealth
from station.core.ports import PatchClassifier
from station.core.settings import Settings
from station.flow.decide import decide
from station.flow.patch import blocks_of
from station.judging import SurfaceJudge


def end_to_end(plan: BenchPlan) -> dict[str, Any]:
    """Images a second of every configured type, under its width, and of one of each after the other.

    Raises:
        ModelError: The network cannot be used.
        PartError: A housing as configured cannot be judged.
    """
    plan.say("  rendering a housing of each type")
    scans = raw_scans(plan.settings)
    classifier = make_classifier(plan.settings)
    seconds = plan.short_s / len(scans)
    images_s = {
        kind: median(times_s(judging(kind, scan, plan.settings, classifier), seconds)) for kind, scan in scans.items()
    }
    return {
        "images_per_s": round(len(images_s) / sum(images_s.values()), 2),
        "by_width": {str(kind.width_px): round(1 / image_s, 2) for kind, image_s in images_s.items()},
    }


def judging(
    kind: PartType, scan: Pixels, settings: Settings, classifier: PatchClassifier, blocks: int | None = None
) -> Callable[[], object]:
    """Judges one scan, as the cell does but for the camera; only its first blocks where their number is given."""
    taken = blocks_of(scan)[:blocks]

    def judge() -> None:
        judge_of_part = SurfaceJudge(kind, settings.crop, classifier)
        scores = [judge_of_part.take(block) for block in taken]
        decide(scores, ScanHealth(None, "", 0.0), settings.decision)

    return judge
