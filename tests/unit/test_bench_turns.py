"""Works that take turns are compared round by round: what happens to the computer in between does not count."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from station.bench.turns import Rounds, TimedWork, take_turns


@dataclass
class Computer:
    """A clock that works move on, each by its cost; after a while everything costs three times as much."""

    now_s: float = 0.0
    slow_from_s: float = float("inf")

    def clock(self) -> float:
        return self.now_s

    def work(self, cost_s: float, done: Callable[[], None] = lambda: None) -> Callable[[], None]:
        def work() -> None:
            done()
            self.now_s += cost_s * (3 if self.now_s >= self.slow_from_s else 1)

        return work


def test_a_ratio_is_that_of_one_round_however_the_computers_speed_changes() -> None:
    computer = Computer(slow_from_s=40.0)
    turns = {"strips": TimedWork(computer.work(0.125), times=8), "part": TimedWork(computer.work(1.25))}
    rounds = take_turns(turns, 100.0, clock=computer.clock)
    assert rounds.ratio("part", "strips") == pytest.approx(10.0)
    times_s = rounds.times_s("part")
    assert {round(min(times_s), 9), round(max(times_s), 9)} == {1.25, 3.75}  # it did change


def test_one_bad_moment_moves_no_ratio() -> None:
    calm = [{"one": [1.0, 1.0], "two": [2.0, 2.0]} for _ in range(8)]
    rounds = Rounds([*calm, {"one": [1.0, 1.0], "two": [90.0, 2.0]}, {"one": [50.0, 40.0], "two": [2.0, 2.0]}])
    assert rounds.ratio("two", "one") == 2.0
    assert rounds.median_s("one") == 1.0


def test_the_first_round_does_not_count_and_every_second_one_goes_backwards() -> None:
    computer, order = Computer(), []
    turns = {
        name: TimedWork(computer.work(1.0, lambda name=name: order.append(name)), times)  # type: ignore[misc]
        for name, times in (("a", 2), ("b", 1), ("c", 1))
    }
    rounds = take_turns(turns, 0.0, at_least=3, clock=computer.clock)
    assert "".join(order) == "aabc" + "aabc" + "cbaa" + "aabc"
    assert len(rounds.times_s("a")) == 6
    assert len(rounds.times_s("a", "b")) == 9


def test_no_round_is_begun_when_the_time_is_over() -> None:
    computer = Computer()
    rounds = take_turns({"only": TimedWork(computer.work(1.0))}, 9.5, clock=computer.clock)
    assert len(rounds.times_s("only")) == 10
