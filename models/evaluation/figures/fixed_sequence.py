"""The lowest confidence from which on a pass is proven to be safe: thresholds tested one after the other.

    p = probability of so few escapes or fewer among n defective parts, if the share of escapes were the target

The thresholds stand in an order that no part has had a say in, the safest first. Each is tested at the whole level, and
the first that is not proven ends the sequence: so all that were proven before hold together, without paying for their
number. The p-value is exact, one-sided. It holds for any network and any confidence, as long as the parts are drawn as
those of the line are.
Source: A. N. Angelopoulos, S. Bates, E. J. Candes, M. I. Jordan and L. Lei, "Learn then Test: Calibrating Predictive
Algorithms to Achieve Risk Control", 2021; fixed-sequence testing: P. Bauer, "Multiple testing in clinical trials",
Statistics in Medicine 10 (1991).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.evaluation.figures.rates import binomial_tail, sample_size

THRESHOLDS = (
    0.999999, 0.99999, 0.9999, 0.9998, 0.9995, 0.999, 0.998, 0.995, 0.99, 0.98, 0.97, 0.96, 0.95, 0.9, 0.85, 0.8, 0.75,
    0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2,
)  # fmt: skip
"""What is tested, in this order; the last is the lowest that `decision.min_confidence` may be. Chosen 2026-11-30."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What is to be proven.

    Attributes:
        target: Share of defective parts that may pass, above 0 and below 1.
        confidence: With which no more do, likewise.
    """

    target: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Proof:
    """What came out.

    Attributes:
        threshold: The lowest that is proven; None where not even the safest is.
        parts: Defective parts.
        escapes: Of them passed at this threshold, or at the safest.
        missing: So many more are needed to prove the safest, without a further escape; 0 where one is proven.
    """

    threshold: float | None
    parts: int
    escapes: int
    missing: int


def prove(passed: Sequence[float], parts: int, claim: Claim, thresholds: Sequence[float] = THRESHOLDS) -> Proof:
    """The lowest threshold from which on no more than the claimed share of defective parts passes.

    Args:
        passed: The confidences of those defective parts that would pass at any, 0 to 1.
        parts: All defective parts; each counts once.
        claim: What is to be proven.
        thresholds: In the order in which they are tested, falling.
    """
    proven: tuple[float, int] | None = None
    for threshold in thresholds:
        escapes = _escapes(passed, threshold)
        if p_value(escapes, parts, claim.target) > 1 - claim.confidence:
            break
        proven = threshold, escapes
    if proven is not None:
        return Proof(proven[0], parts, proven[1], 0)
    escapes = _escapes(passed, thresholds[0])
    return Proof(None, parts, escapes, sample_size(claim.target, escapes, claim.confidence) - parts)


def p_value(escapes: int, parts: int, target: float) -> float:
    """How likely so few escapes are where the share of defective parts that pass is `target`; 1 without a part."""
    return binomial_tail(escapes, parts, target)


def _escapes(passed: Sequence[float], threshold: float) -> int:
    return sum(confidence >= threshold for confidence in passed)
