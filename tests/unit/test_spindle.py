"""The jig's spindle: where it is and how fast it turns at any moment."""

import pytest

from sim.spindle import NS_PER_S, Spindle


class Time:
    def __init__(self) -> None:
        self.ns = 5 * NS_PER_S

    def __call__(self) -> int:
        return self.ns

    def pass_s(self, seconds: float) -> None:
        self.ns += round(seconds * NS_PER_S)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def spindle(time: Time) -> Spindle:
    return Spindle(time)


def test_stands_still_until_it_is_told_to_turn(spindle: Spindle, time: Time) -> None:
    time.pass_s(100)
    assert spindle.standstill
    assert not spindle.steady
    assert (spindle.speed_rpm, spindle.index_pulses) == (0.0, 0)


def test_speed_rises_in_a_straight_ramp_and_then_stays(spindle: Spindle, time: Time) -> None:
    spindle.turn(NS_PER_S // 5, ramp_s=0.4)
    seen = []
    for _ in range(5):
        seen.append((round(spindle.speed_rpm), spindle.steady, spindle.standstill))
        time.pass_s(0.1)
    assert seen == [(0, False, False), (75, False, False), (150, False, False), (225, False, False), (300, True, False)]


def test_index_pulses_count_the_turns_of_ramp_and_constant_speed(spindle: Spindle, time: Time) -> None:
    spindle.turn(NS_PER_S // 5, ramp_s=0.4)  # five turns a second; the ramp takes one turn
    time.pass_s(0.4)
    assert spindle.index_pulses == 1
    time.pass_s(1.99)
    assert spindle.index_pulses == 10
    time.pass_s(0.02)
    assert spindle.index_pulses == 11


@pytest.mark.parametrize("ramp_s", [0.0, 0.25, 0.3, 1.0])
def test_epoch_is_a_moment_of_angle_zero(spindle: Spindle, time: Time, ramp_s: float) -> None:
    spindle.turn(NS_PER_S // 5, ramp_s)
    time.pass_s(ramp_s)
    before = spindle.index_pulses
    since_index_ns = (time.ns - spindle.epoch_ns) % spindle.period_ns
    time.ns += spindle.period_ns - since_index_ns - 1_000
    assert spindle.index_pulses == before
    time.ns += 2_000
    assert spindle.index_pulses == before + 1


def test_a_stop_ramps_down_to_standstill_and_keeps_the_angle(spindle: Spindle, time: Time) -> None:
    spindle.turn(NS_PER_S // 5, ramp_s=0.0)
    time.pass_s(1.0)
    spindle.brake(ramp_s=0.4)
    time.pass_s(0.2)
    assert round(spindle.speed_rpm) == 150
    assert not spindle.standstill
    time.pass_s(0.2)
    assert spindle.standstill
    assert spindle.index_pulses == 6
    time.pass_s(60)
    assert spindle.index_pulses == 6


def test_a_stop_during_the_ramp_starts_from_the_speed_reached(spindle: Spindle, time: Time) -> None:
    spindle.turn(NS_PER_S // 5, ramp_s=0.4)
    time.pass_s(0.2)
    spindle.brake(ramp_s=0.4)
    assert round(spindle.speed_rpm) == 150
    time.pass_s(0.2)
    assert round(spindle.speed_rpm) == 75
