"""How a network's judgement of whole parts changes as the pictures get worse."""

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from models.dataset.named import KnownScan, read_image
from models.evaluation.figures.rates import Rate, rate
from models.evaluation.measuring.disturbances import DISTURBANCES, Disturbance
from models.evaluation.measuring.parts import JudgedPart, Rule, judge_image, true_labels
from models.evaluation.measuring.progress import Progress, silent
from models.evaluation.measuring.scorers import Scorer
from station.core.section import Section


class Tally(Section):
    """Parts judged under one condition."""

    accuracy: Rate = Field(..., description="Parts judged rightly; review is wrong.")
    escapes: Rate = Field(..., description="Defective parts passed, of the defective.")
    overkills: Rate = Field(..., description="Good parts called defective, of the good.")
    reviews: Rate = Field(..., description="Parts sent to review, of all.")


class Level(Section):
    """What becomes of the same parts at one level."""

    level: float = Field(..., description="Strength of the disturbance, in its unit.")
    tally: Tally = Field(..., description="How the parts were judged.")


class RobustnessCurve(Section):
    """One disturbance over its levels."""

    name: str = Field(..., description="The disturbance.")
    meaning: str = Field(..., description="What it is, and what its level means.")
    unit: str = Field(..., description="Of the level.")
    nominal: float = Field(..., description="The level without disturbance.")
    levels: tuple[Level, ...] = Field(..., description="Rising.")


def tally(parts: Sequence[JudgedPart]) -> Tally:
    """Count parts."""
    defective = sum(part.truth.is_defect for part in parts)
    return Tally(
        accuracy=rate(sum(part.right for part in parts), len(parts)),
        escapes=rate(sum(part.escaped for part in parts), defective),
        overkills=rate(sum(part.overkilled for part in parts), len(parts) - defective),
        reviews=rate(sum(part.verdict.is_review for part in parts), len(parts)),
    )


def measure_robustness(
    scorer: Scorer,
    scans: Sequence[KnownScan],
    rule: Rule,
    seed: int,
    progress: Progress = silent,
) -> tuple[RobustnessCurve, ...]:
    """Judge every part at every level of every disturbance; the undisturbed level only once.

    Args:
        scorer: Scores the disturbed parts' patches; its columns are those of `rule.meaning`.
        scans: The parts, at least one.
        rule: How they are judged.
        seed: Of noise and scratches; a part's are the same whatever other parts there are.
        progress: Wraps the parts, to show how far it is.

    Raises:
        RecordingError: A scan or its mask cannot be used.
        ModelError: The network fails.
    """
    judged: dict[tuple[str, float], list[JudgedPart]] = {}
    for number, scan in enumerate(progress("robustness", scans)):
        image, labels = read_image(scan), true_labels(scan, rule)
        columns = rule.columns(image, scan)
        plain = judge_image(scorer, image, scan, labels, rule)
        for kind, disturbance in enumerate(DISTURBANCES):
            for level in disturbance.levels:
                part = plain
                if level != disturbance.nominal:
                    rng = np.random.default_rng([seed, number, kind])
                    worse = disturbance.apply(image, columns, level, rng)
                    part = judge_image(scorer, worse, scan, labels, rule)
                judged.setdefault((disturbance.name, level), []).append(part)
    return tuple(_curve(disturbance, judged) for disturbance in DISTURBANCES)


def _curve(disturbance: Disturbance, judged: dict[tuple[str, float], list[JudgedPart]]) -> RobustnessCurve:
    levels = [Level(level=level, tally=tally(judged[disturbance.name, level])) for level in disturbance.levels]
    return RobustnessCurve(
        name=disturbance.name,
        meaning=disturbance.meaning,
        unit=disturbance.unit,
        nominal=disturbance.nominal,
        levels=tuple(levels),
    )
