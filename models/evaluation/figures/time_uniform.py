"""A limit of a share that holds whenever one looks, however often, and whatever one does because of it.

    wealth(p) = mean over q, evenly from 0 to p, of  q^s (1 - q)^(n - s) / (p^s (1 - p)^(n - s))
              = P(Bin(n + 1, p) > s) / ((n + 1) p P(Bin(n, p) = s))

after s events in n trials. Who bets so against a share of p or more has, on average, never more than the stake of 1,
and so ever reaches 1/a with a probability of a at the most (Ville). Shares against which 1/a was reached are excluded:
the limit is the smallest of them. Only the counts matter, not the order of the trials.
Source: J. Ville, Etude critique de la notion de collectif, 1939; I. Waudby-Smith and A. Ramdas, "Estimating means of
bounded random variables by betting", Journal of the Royal Statistical Society B 86 (2024); the mixture with an even
prior: H. Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of Mathematical Statistics
41 (1970).
"""

import math

from models.evaluation.figures.rates import BISECTIONS, binomial_tail


def running_limit(events: int, trials: int, confidence: float) -> float:
    """Upper limit of a share after so many trials: over all times together it is exceeded with 1 - confidence at most.

    Args:
        events: 0 to `trials`.
        trials: From 0 up; without any the limit is 1.
        confidence: For example 0.95.
    """
    if events == trials:
        return 1.0
    goal, low, high = -math.log1p(-confidence), events / trials, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if log_wealth(events, trials, middle) < goal else (low, middle)
    return high


def log_wealth(events: int, trials: int, share: float) -> float:
    """Logarithm of what a stake of 1 has become that was bet against this share, or a larger one; 0 without trials.

    Args:
        events: 0 to `trials`.
        trials: From 0 up.
        share: Above 0; from 1 on no bet can be lost against any trial that was no event, and infinity is answered.
    """
    if share >= 1:
        return math.inf if events < trials else 0.0
    more = 1 - binomial_tail(events, trials + 1, share)
    if more <= 0:
        return -math.inf
    return math.log(more) - math.log((trials + 1) * share) - _log_chance(events, trials, share)


def _log_chance(events: int, trials: int, share: float) -> float:
    """Logarithm of the probability of exactly so many events."""
    choose = math.lgamma(trials + 1) - math.lgamma(events + 1) - math.lgamma(trials - events + 1)
    return choose + events * math.log(share) + (trials - events) * math.log1p(-share)
