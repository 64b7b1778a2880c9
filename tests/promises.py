"""Draws calibrations and streams, and counts the broken promises: `python -m tests.promises` prints all, in a minute.

A share of broken ones that a promise allows is told from a larger one by its own exact limits.
"""

import math
import sys

import numpy as np

from models.evaluation.figures.fixed_sequence import Claim, prove
from models.evaluation.figures.rates import clopper_pearson
from models.evaluation.figures.time_uniform import log_wealth
from station.core.novelty.conformal import Calibration

DRAWN, TRIALS = 1000, 4000
ONE_PERCENT = Claim(0.01, 0.95)
THRESHOLDS = ((299, 0.02), (500, 0.05), (1500, 0.2))
"""Defective parts, and the share of them that looks good, with a confidence that is even from 0 to 1."""
STREAMS = (0.005, 0.02, 0.1)
"""Share of defective parts among those that are checked."""
UNKNOWN = ((19, 0.05), (99, 0.01), (250, 0.02))
"""Good parts that are calibrated, and alpha."""


def broken_thresholds(parts: int, worst: float) -> int:
    """Calibrations of which more defective parts pass than was promised."""
    random, broken = np.random.default_rng(parts), 0
    for _ in range(DRAWN):
        passed = random.random(random.binomial(parts, worst))
        threshold = prove(passed.tolist(), parts, ONE_PERCENT).threshold
        broken += threshold is not None and worst * (1 - threshold) > ONE_PERCENT.target
    return broken


def broken_streams(share: float) -> int:
    """Streams whose limit lies below the true share after any of their parts."""
    most = np.array(_excluded_below(share, TRIALS))
    events = np.random.default_rng(7).random((DRAWN, TRIALS)) < share
    return int((np.cumsum(events, axis=1) <= most).any(axis=1).sum())


def called_unknown(parts: int, alpha: float) -> int:
    """Calibrations of which one new good part is called unknown, so that each draw tells of both."""
    random, called = np.random.default_rng(parts), 0
    for _ in range(DRAWN):
        *scores, new = random.lognormal(size=parts + 1).tolist()
        called += Calibration(tuple(sorted(scores)), "ab" * 32, "drawn").p_value(new) <= alpha
    return called


def _excluded_below(share: float, trials: int) -> list[int]:
    """For each number of trials the most events with which the limit lies below the true share; -1 where none does."""
    most, found = -1, []
    for count in range(1, trials + 1):
        while log_wealth(most + 1, count, share) >= math.log(20) and (most + 1) / count < share:
            most += 1
        found.append(most)
    return found


def _say(what: str, broken: int, allowed: float) -> None:
    lower, upper = clopper_pearson(broken, DRAWN, 0.95)
    sys.stdout.write(f"{what}: {broken} of {DRAWN:,}, {lower:.1%} to {upper:.1%}; allowed {allowed:.0%}\n")


def main() -> None:
    """Print all."""
    for parts, worst in THRESHOLDS:
        told = f"1 % of defective parts pass, {parts} parts of which {worst:.0%} look good"
        _say(told, broken_thresholds(parts, worst), 1 - ONE_PERCENT.confidence)
    for share in STREAMS:
        _say(f"outgoing defects, {share:.1%} defective, after each of {TRIALS:,} parts", broken_streams(share), 0.05)
    for parts, alpha in UNKNOWN:
        _say(f"good parts called unknown, {parts} calibrated", called_unknown(parts, alpha), alpha)


if __name__ == "__main__":
    main()
