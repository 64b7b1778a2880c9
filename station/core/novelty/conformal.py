"""How surely a part is unlike all good ones: its p-value against good parts that were not trained on. Pure functions.

    p = (1 + how many of n calibrated parts are as unlike as it, or more) / (n + 1)

Of good parts that are as those were, no more than a share of alpha comes to p <= alpha, whatever the network and
whatever the scores mean: such a part is as likely to stand in any place among them as in any other. The least p is
1/(n + 1), so a bound of 1 % takes 99 parts. A part counts once, by its worst patch.
Source: V. Vovk, A. Gammerman and G. Shafer, "Algorithmic Learning in a Random World", 2005, chapter 2.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Calibration:
    """What good parts of one type came to that were not trained on.

    Attributes:
        scores: How unlike each of them is, rising; at least one.
        sha256: Of the file that says so.
        measured_by: Engine and precision, as `openvino int8`; others come to slightly different scores.
    """

    scores: tuple[float, ...]
    sha256: str
    measured_by: str

    @property
    def least(self) -> float:
        """The smallest share of good parts of which can be promised that no more are called unknown."""
        return 1 / (len(self.scores) + 1)

    def p_value(self, score: float) -> float:
        """How often, at the most, a good part is as unlike as this score."""
        return (1 + len(self.scores) - bisect_left(self.scores, score)) / (len(self.scores) + 1)


@dataclass(frozen=True, slots=True)
class Novelty:
    """How unlike all that the network was trained on a part is.

    Attributes:
        score: Of the patch that is most unlike; 1 is what one in a hundred patches of the training exceeds.
        patch: Which that is, from 0.
        p_value: How often, at the most, a good part of its type is as unlike; None without a calibration.
        level: From which p-value on downwards it counts as unknown; None without a calibration.
        calibration_sha256: What it was held against; None without a calibration.
        parts: How many good parts that were.
    """

    score: float
    patch: int
    p_value: float | None = None
    level: float | None = None
    calibration_sha256: str | None = None
    parts: int = 0

    @property
    def unknown(self) -> bool:
        """Whether the part counts as unknown."""
        return self.p_value is not None and self.level is not None and self.p_value <= self.level

    def __str__(self) -> str:
        """What people read of it."""
        seen = f"patch {self.patch} is {self.score:.2f} times as unlike as one in a hundred known patches"
        if self.p_value is None or self.level is None:
            return f"{seen}; nothing is known of good parts of this type"
        as_unlike = round(self.p_value * (self.parts + 1)) - 1
        return f"{seen}, as {as_unlike} of {self.parts} good parts are (p {self.p_value:.4f}, limit {self.level:.4f})"


@dataclass(frozen=True, slots=True)
class NoveltyRule:
    """From when on a part counts as unknown.

    Attributes:
        alpha: The share of good parts that may be called so; 0 calls none so.
        calibration: What good parts of this type came to; None where nobody has measured it.
    """

    alpha: float
    calibration: Calibration | None

    @property
    def level(self) -> float | None:
        """The p-value from which on downwards a part counts as unknown; None where nothing is known of good parts.

        Where too few parts were calibrated to promise `alpha`, it is the least that can be promised: people look at
        what is more unlike than every one of them, all the same.
        """
        if self.calibration is None:
            return None
        return max(self.alpha, self.calibration.least) if self.alpha else 0.0

    def judge(self, scores: Sequence[float]) -> Novelty:
        """What the scores of a part's patches come to; at least one."""
        patch = max(range(len(scores)), key=scores.__getitem__)
        score, calibration = float(scores[patch]), self.calibration
        if calibration is None:
            return Novelty(score, patch)
        p_value = calibration.p_value(score)
        return Novelty(score, patch, p_value, self.level, calibration.sha256, len(calibration.scores))


def parts_for(alpha: float) -> int:
    """How many good parts must be calibrated before so small a share can be promised."""
    return max(1, math.ceil(1 / alpha - 1e-9) - 1)
