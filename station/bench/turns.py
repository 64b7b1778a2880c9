"""Works that take turns, so that whatever else the computer does, or how fast it runs just now, meets all alike.

What is compared is what lay side by side: the ratio of two works is the median, over all rounds, of the ratios of their
times in one round.
"""

import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from station.bench.timing import median

Work = Callable[[], object]
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class TimedWork:
    """What a work does when it is its turn.

    Attributes:
        work: What is timed.
        times: How often it is done, each time counted alone.
        rest_s: How long the computer is left alone afterwards, uncounted.
    """

    work: Work
    times: int = 1
    rest_s: float = 0.0


class Rounds(Generic[K]):
    """The times of works that took turns, in seconds: of each round the times of each work."""

    def __init__(self, rounds: Iterable[Mapping[K, list[float]]]) -> None:
        self._rounds = list(rounds)

    def times_s(self, *keys: K) -> list[float]:
        """Every time of some works, in all rounds."""
        return [one_s for taken in self._rounds for key in keys for one_s in taken[key]]

    def median_s(self, *keys: K) -> float:
        """How long some works take once, in the median."""
        return median(self.times_s(*keys))

    def ratio(self, work: K, to: K) -> float:
        """By how much one time of a work is longer than one of another, in the median of the rounds."""
        return median([median(taken[work]) / median(taken[to]) for taken in self._rounds])


def take_turns(
    turns: Mapping[K, TimedWork],
    seconds: float,
    at_least: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> Rounds[K]:
    """Let works take turns for about so many seconds, after one uncounted round; blocking.

    Every second round goes backwards, so that no work always comes after the same one.

    Args:
        turns: The works; those to be compared with each other beside each other.
        seconds: After what time no further round is begun.
        at_least: Rounds that are made even then.
        clock: Tells seconds.
    """
    for turn in turns.values():
        _take(turn, clock)
    rounds: list[dict[K, list[float]]] = []
    end_s = clock() + seconds
    while len(rounds) < at_least or clock() < end_s:
        order = list(turns)[:: -1 if len(rounds) % 2 else 1]
        rounds.append({key: _take(turns[key], clock) for key in order})
    return Rounds(rounds)


def _take(turn: TimedWork, clock: Callable[[], float]) -> list[float]:
    taken = []
    for _ in range(turn.times):
        begun_s = clock()
        turn.work()
        taken.append(clock() - begun_s)
    if turn.rest_s:
        time.sleep(turn.rest_s)
    return taken
