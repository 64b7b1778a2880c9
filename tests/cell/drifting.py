"""When each alarm of drift is due, reckoned from what the records say of every part, another way than the station does.

Middle values are taken over the whole series at once, each part's place is counted anew among all before it, and every
part with which a bet may begin has one of its own, in place of the one mixture that the station keeps.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Conditions = Mapping[str, Any]
"""What the scan of a part shows, as its record has it."""


def due(
    conditions: Sequence[Conditions], calibrated: Sequence[float], first: int, last: int, wealth_max: float = 100.0
) -> dict[str, int]:
    """The part, from 0, with which each alarm is due for the first time; one that is never due is left out.

    Args:
        conditions: Of every part, in their order.
        calibrated: Scores of the calibrated parts; none: nothing is bet.
        first: Parts that say how it was at first.
        last: Parts that say how it is.
        wealth_max: From which wealth on parts count as unlike.
    """
    found: dict[str, int] = {}
    for name, code, low, high in (
        ("lamp", "camera.lamp_faded", lambda begun: 0.8 * begun, lambda _begun: np.inf),
        ("edge_px", "camera.out_of_focus", lambda _begun: -np.inf, lambda begun: 1.5 * begun),
        ("streak", "camera.dirt", lambda _begun: -np.inf, lambda begun: begun + 3.0),
    ):
        seen = [part for part, one in enumerate(conditions) if one[name] is not None]
        values = np.array([conditions[part][name] for part in seen], np.float64)
        if len(values) >= max(first, last):
            begun = float(np.median(values[:first]))
            middles = np.median(np.lib.stride_tricks.sliding_window_view(values, last), axis=1)
            beyond = np.flatnonzero((middles < low(begun)) | (middles > high(begun))) + last - 1
            beyond = beyond[beyond >= first - 1]
            if beyond.size:
                found[code] = seen[int(beyond[0])]
    scored = [part for part, one in enumerate(conditions) if one["score"] is not None]
    if calibrated and scored:
        places = places_of([conditions[part] for part in scored], calibrated)
        won = np.flatnonzero(wealths(places) >= wealth_max)
        if won.size:
            found["quality.drift"] = scored[int(won[0])]
    return found


def places_of(conditions: Sequence[Conditions], calibrated: Sequence[float]) -> Floats:
    """Of every scored part its place among the calibrated ones, all before it and itself, 0 to 1."""
    scores = np.array([*calibrated, *(one["score"] for one in conditions)], np.float64)
    places = []
    for number, one in enumerate(conditions):
        before = scores[: len(calibrated) + number]
        above, equal = (before > one["score"]).sum(), (before == one["score"]).sum()
        places.append((above + one["lot"] * (equal + 1)) / (len(before) + 1))
    return np.array(places, np.float64)


def wealths(places: Floats) -> Floats:
    """The wealth after each part: of a bet that begins with each, and of what is kept for those to come."""
    stakes, wealth = np.zeros((len(places), 3)), np.zeros(len(places))
    for part, place in enumerate(places):
        stakes[part] = 1 / ((part + 1) * (part + 2)) / 3
        bets = 0.99 * stakes[: part + 1] + 0.01 * stakes[: part + 1].mean(axis=1, keepdims=True)
        stakes[: part + 1] = bets * (1 + np.array([-1, 0, 1]) * (place - 0.5))
        wealth[part] = stakes[: part + 1].sum() + 1 / (part + 2)
    return wealth
