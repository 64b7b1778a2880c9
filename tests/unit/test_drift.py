"""Whether things are as they were: bets with a bound on false alarms, and limits with a part in which they are due."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from station.core.drift import course as courses
from station.core.drift.course import Course, Drift, Seen, Watched
from station.core.drift.limits import FIRST_PARTS, Limits
from station.core.drift.martingale import Order, Wealth
from station.core.novelty.conformal import Calibration
from station.core.promise import Suspension

LIMITS = Limits()
GOOD = Seen(lamp=5.4, edge_px=1.9, streak=0.3)
INSPECTION, AT = "01M3N7", "2026-05-01T06:00:00.000Z"
PLAYED, PARTS = 150, 400
MOST_FALSE = 7
"""Of 150 fair courses, where one in a hundred may be false: more come with a chance of 1 in 6,000."""


def calibration(rng: np.random.Generator, parts: int = 99, sha256: str = "ca" * 32) -> Calibration:
    return Calibration(tuple(sorted(rng.normal(0, 1) for _ in range(parts))), sha256, "openvino int8")


def scored(rng: np.random.Generator, shift: float = 0.0) -> Seen:
    return replace(GOOD, score=rng.normal(shift, 1), lot=rng.random())


def take(course: Course, seen: Seen) -> Drift:
    return course.take(seen, INSPECTION, AT)


def play(course: Course, seen: Sequence[Seen]) -> list[Watched]:
    return [Watched(one, take(course, one)) for one in seen]


@pytest.mark.parametrize("parts", [0, 1, 7, 300])
def test_a_fair_bet_neither_wins_nor_loses(parts: int) -> None:
    rng, wealth = np.random.default_rng(3), Wealth()
    for _ in range(parts):
        wealth = wealth.after(rng.random())
    assert wealth.after(0.5).total == pytest.approx(wealth.total)  # linear in p, whose mean is a half
    assert (wealth.after(0.1).total + wealth.after(0.9).total) / 2 == pytest.approx(wealth.total)


def test_the_place_of_a_part_among_all_so_far_is_even_also_among_equals() -> None:
    rng = np.random.default_rng(5)
    order = Order([0.5] * 20)
    places = sorted(order.p_value(float(rng.choice([0.5, 0.7])), rng.random()) for _ in range(2000))
    assert max(abs(place - number / 2000) for number, place in enumerate(places)) < 0.06
    assert Order([1.0, 2.0, 3.0]).p_value(2.5, 0.0) == pytest.approx(1 / 4)
    assert Order([1.0, 2.0, 3.0]).p_value(9.0, 1.0) == pytest.approx(1 / 4)


def test_parts_that_stay_the_same_raise_no_more_alarms_than_stated() -> None:
    rng, false = np.random.default_rng(11), 0
    for _ in range(PLAYED):
        course = Course(calibration(rng), LIMITS)
        false += any(take(course, scored(rng)).suspended for _ in range(PARTS))
    assert false <= MOST_FALSE


@pytest.mark.parametrize("before", [0, 2000])
def test_parts_that_have_changed_suspend_the_promise_until_they_are_calibrated_anew(before: int) -> None:
    rng = np.random.default_rng(13)
    good = calibration(rng)
    course = Course(good, LIMITS)
    history = play(course, [scored(rng) for _ in range(before)])
    assert not course.drift.suspended
    while not course.drift.suspended:
        history += play(course, [scored(rng, 1.5)])
        assert len(history) < before + 120
    assert course.drift.beyond == ("quality.drift",)
    assert course.drift.wealth >= 2.0
    history += play(course, [scored(rng) for _ in range(30)])
    assert history[-1].drift.suspended, "it does not end by itself"  # type: ignore[union-attr]
    assert Course(good, LIMITS, history).drift.suspended, "nor with a restart"
    anew = Course(replace(good, sha256="cb" * 32), LIMITS, history).drift
    assert (anew.suspended, anew.parts, anew.first, anew.beyond) == (None, 0, {}, ())


def test_a_restart_goes_on_as_if_there_had_been_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courses, "EPOCH", 60)
    rng = np.random.default_rng(17)
    good = calibration(rng)
    shown = [replace(scored(rng), lamp=5.4 - 0.02 * number) for number in range(150)]
    through = play(Course(good, LIMITS), shown)
    assert any(one.drift.beyond for one in through if one.drift)
    for stopped in (1, 24, 59, 60, 61, 64, 119, 149):
        kept = [Watched.of(**json.loads(json.dumps(one.recorded()))) for one in through[:stopped]]
        assert kept == through[:stopped]
        assert play(Course(good, LIMITS, kept), shown[stopped:]) == through[stopped:], stopped


def test_a_part_that_could_not_be_recorded_costs_a_restart_nothing_but_that_part() -> None:
    rng = np.random.default_rng(19)
    good = calibration(rng)
    history = play(Course(good, LIMITS), [scored(rng) for _ in range(40)])
    del history[20]
    went_on = Course(good, LIMITS, history).drift
    assert (went_on.parts, went_on.first, went_on.suspended) == (39, GOOD.figures(), None)


def test_without_a_calibration_nothing_is_bet_and_lamp_focus_and_dirt_are_watched_all_the_same() -> None:
    course = Course(None, LIMITS)
    (*_, last) = play(course, [replace(GOOD, score=9.0)] * 60)
    assert last.drift is not None
    assert (last.drift.p, last.drift.wealth, last.drift.suspended) == (None, 0.0, None)
    assert last.drift.first == last.drift.now == GOOD.figures()


@pytest.mark.parametrize(
    ("worse", "code"),
    [
        ({"lamp": 0.79 * 5.4}, "camera.lamp_faded"),
        ({"edge_px": 1.51 * 1.9}, "camera.out_of_focus"),
        ({"streak": 3.4}, "camera.dirt"),
    ],
)
def test_an_alarm_is_due_with_the_fifth_of_nine_parts_beyond_its_limit(worse: dict[str, float], code: str) -> None:
    course = Course(None, LIMITS)
    play(course, [GOOD] * (FIRST_PARTS + 10))
    bad = replace(GOOD, **worse)
    beyond = [take(course, bad).beyond for _ in range(5)]
    assert beyond == [(), (), (), (), (code,)]
    assert [take(course, GOOD).beyond for _ in range(5)] == [(code,), (code,), (code,), (code,), ()]


def test_a_promise_is_suspended_with_the_first_alarm_and_stays_so_when_its_cause_is_mended() -> None:
    course, shown = Course(None, LIMITS), [GOOD] * FIRST_PARTS + [replace(GOOD, streak=9.0)] * 5 + [GOOD] * 9
    shown += [replace(GOOD, lamp=3.0, streak=9.0)] * 9
    drifts = [
        course.take(seen, f"P{number}", f"2026-05-01T06:{number:02}:00.000Z") for number, seen in enumerate(shown)
    ]
    first = FIRST_PARTS + 4
    assert [drift.suspended for drift in drifts[:first]] == [None] * first
    since = Suspension(f"2026-05-01T06:{first}:00.000Z", f"P{first}", ("camera.dirt",))
    assert {drift.suspended for drift in drifts[first : first + 14]} == {since}
    assert drifts[first + 9].beyond == ()
    assert drifts[-1].beyond == ("camera.lamp_faded", "camera.dirt")
    assert drifts[-1].suspended == replace(since, because=("camera.dirt", "camera.lamp_faded"))
    assert since.words == "Suspended since 2026-05-01 06:29 UTC (camera.dirt), until calibrated anew"
    history = [Watched(seen, drift) for seen, drift in zip(shown, drifts, strict=True)]
    assert Course(None, LIMITS, history).drift == drifts[-1], "a restart finds what was found, and nothing else"


@pytest.mark.parametrize("better", [{"lamp": 0.81 * 5.4}, {"lamp": 9.0}, {"edge_px": 1.49 * 1.9}, {"streak": 3.2}])
def test_what_is_within_its_limit_is_no_alarm(better: dict[str, float]) -> None:
    course = Course(None, LIMITS)
    play(course, [GOOD] * FIRST_PARTS)
    assert not any(take(course, replace(GOOD, **better)).beyond for _ in range(30))


def test_what_a_scan_does_not_show_counts_for_nothing() -> None:
    course = Course(None, LIMITS)
    play(course, [GOOD] * FIRST_PARTS)
    for _ in range(20):
        drift = take(course, Seen(covered="the part covers it"))
    assert (drift.first, drift.now, drift.beyond) == (GOOD.figures(), GOOD.figures(), ())
