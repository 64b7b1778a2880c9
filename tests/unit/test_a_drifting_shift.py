"""A shift of 2,000 parts with a fading lamp, dirt and foreign parts: every alarm in the very part in which it is due.

When that is, is reckoned here another way: middle values over the whole series at once, and a bet of its own for every
part with which one may begin, in place of the one mixture that the station keeps.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from station.core.drift.course import Course, Drift, Seen
from station.core.drift.limits import Limits
from station.core.novelty.conformal import Calibration

AT = "2026-05-01T06:00:00.000Z"
PARTS, CALIBRATED = 2000, 199
FADES_FROM, FADES_BY = 300, 0.0003
DIRTY_FROM, DIRT = 900, 9.0
FOREIGN_FROM, FOREIGN = 1500, 1.5
"""The lamp loses 0.03 % with each part, from the 300th on; then dirt; then parts of another finish."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shift:
    """What a calibration and all parts of a shift show, drawn as the bundled scans scatter."""

    calibrated: Floats
    lamp: Floats
    streak: Floats
    score: Floats
    lot: Floats

    def drifts(self) -> list[Drift]:
        course = Course(Calibration(tuple(np.sort(self.calibrated).tolist()), "ca" * 32, "openvino int8"), Limits())
        rows = zip(self.lamp.tolist(), self.streak.tolist(), self.score.tolist(), self.lot.tolist(), strict=True)
        seen = (Seen(lamp, 1.9, streak, score, lot) for lamp, streak, score, lot in rows)
        return [course.take(one, f"I{number}", AT) for number, one in enumerate(seen)]


@pytest.fixture(scope="module")
def shift() -> Shift:
    rng, parts = np.random.default_rng(2026), np.arange(PARTS)
    light = 1 - FADES_BY * np.maximum(0, parts - FADES_FROM)
    return Shift(
        rng.normal(0, 1, CALIBRATED),
        rng.normal(5.44, 0.05, PARTS) * light,
        np.abs(rng.normal(0.3, 0.1, PARTS)) + DIRT * (parts >= DIRTY_FROM),
        rng.normal(0, 1, PARTS) + FOREIGN * (parts >= FOREIGN_FROM),
        rng.random(PARTS),
    )


def first_beyond(values: Floats, low: float, high: float) -> int:
    """The first part with which the middle value of nine is beyond these limits."""
    middles = np.median(np.lib.stride_tricks.sliding_window_view(values, 9), axis=1)
    beyond = np.flatnonzero((middles < low) | (middles > high)) + 8
    return int(beyond[beyond >= 24][0])


def wealths(shift: Shift) -> Floats:
    """The wealth after each part: of a bet that begins with each, and of what is kept for those to come."""
    stakes, wealth = np.zeros((PARTS, 3)), np.zeros(PARTS)
    known = np.concatenate([shift.calibrated, shift.score])
    for part in range(PARTS):
        before, score = known[: CALIBRATED + part], shift.score[part]
        place = (before > score).sum() + shift.lot[part] * ((before == score).sum() + 1)
        stakes[part] = 1 / ((part + 1) * (part + 2)) / 3
        bets = 0.99 * stakes[: part + 1] + 0.01 * stakes[: part + 1].mean(axis=1, keepdims=True)
        stakes[: part + 1] = bets * (1 + np.array([-1, 0, 1]) * (place / (len(before) + 1) - 0.5))
        wealth[part] = stakes[: part + 1].sum() + 1 / (part + 2)
    return wealth


def test_every_alarm_comes_with_the_part_in_which_it_is_due(shift: Shift) -> None:
    drifts = shift.drifts()
    came: dict[str, int] = {}
    for part, drift in enumerate(drifts):
        for code in drift.beyond:
            came.setdefault(code, part)
    lamp, streak = np.median(shift.lamp[:25]), np.median(shift.streak[:25])
    wealth = wealths(shift)
    due = {
        "camera.lamp_faded": first_beyond(shift.lamp, 0.8 * lamp, np.inf),
        "camera.dirt": first_beyond(shift.streak, -np.inf, streak + 3),
        "quality.drift": int(np.flatnonzero(wealth >= 100)[0]),
    }
    assert came == due
    assert came["camera.dirt"] == DIRTY_FROM + 4
    assert FADES_FROM + 0.18 / FADES_BY < came["camera.lamp_faded"] < FADES_FROM + 0.22 / FADES_BY
    assert FOREIGN_FROM < came["quality.drift"] < FOREIGN_FROM + 100
    told = np.array([drift.wealth for drift in drifts[: due["quality.drift"] + 1]])
    assert told == pytest.approx(np.log10(wealth[: len(told)]), abs=1e-9)


def test_what_is_promised_is_suspended_from_the_first_alarm_on_and_not_before(shift: Shift) -> None:
    drifts = shift.drifts()
    since = next(part for part, drift in enumerate(drifts) if drift.beyond)
    assert [drift.suspended is not None for drift in drifts] == [False] * since + [True] * (PARTS - since)
    assert {drift.suspended.inspection_id for drift in drifts[since:] if drift.suspended} == {f"I{since}"}
    last = drifts[-1].suspended
    assert last is not None
    assert set(last.because) == {"camera.lamp_faded", "camera.dirt", "quality.drift"}
