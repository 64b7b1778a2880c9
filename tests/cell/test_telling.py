"""Nobody who watches takes time from a decision: between the last line and its delivery nothing is told."""

from collections.abc import Callable

from station.cell.packml import State
from station.core.errors import PlcError
from station.core.events import (
    CellEvent,
    PartDecided,
    PartSorted,
    ScanJudged,
    StateChanged,
    StepStarted,
    StripScored,
    StripSeen,
)
from station.core.judgement import Published
from station.core.timeline import Delivery
from tests.cell.bench import running
from tests.contract.fake_camera import Misfortune, Mishap
from tests.lines import BLOCKS_PER_TURN

LAST = BLOCKS_PER_TURN - 1


class Noting(list[Published]):
    """The results that the line has got, and what was told before each."""

    def __init__(self, told: Callable[[], list[CellEvent]]) -> None:
        super().__init__()
        self._told = told
        self.before: list[list[CellEvent]] = []

    def append(self, result: Published) -> None:
        self.before.append(self._told())
        super().append(result)


def steps(events: list[CellEvent]) -> list[str]:
    """What was told of a part, in order and in short."""
    names = {ScanJudged: "judged", PartDecided: "decided", PartSorted: "sorted"}
    told = []
    for event in events:
        if isinstance(event, StepStarted):
            told.append(event.step)
        elif isinstance(event, StripScored):
            told.append(f"strip {event.scores.index}")
        elif type(event) in names:
            told.append(names[type(event)])
    return told


async def test_the_last_strip_and_the_last_step_are_told_when_the_line_has_the_decision() -> None:
    async with running() as bench:
        bench.line.published = results = Noting(lambda: list(bench.events))
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        assert "decide" not in steps(results.before[0])
        assert f"strip {LAST}" not in steps(results.before[0])
        before, after = (
            [one.index for one in told if isinstance(one, StripSeen)] for told in (results.before[0], bench.events)
        )
        assert LAST not in before, "nor is it shown before"
        assert after == list(range(BLOCKS_PER_TURN))
        strips = [f"strip {number}" for number in range(BLOCKS_PER_TURN)]
        told = steps(bench.events)
        assert [one for one in told if one not in strips] == [
            "load", "spin", "scan", "decide", "judged", "decided", "unload", "sorted",
        ]  # fmt: skip
        assert [one for one in told if one in strips] == strips
        assert told.index(strips[-1]) < told.index("judged")


async def test_before_a_second_scan_everything_of_the_first_is_told() -> None:
    async with running(misfortunes=[Misfortune(Mishap.LOST, 3)]) as bench:
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        told = steps(bench.events)
        again = len(told) - told[::-1].index("spin") - 1
        first, second = told[:again], told[again:]
        assert first.count("decide") == second.count("decide") == 1
        strips = [sum(one.startswith("strip") for one in told) for told in (first, second)]
        assert strips == [BLOCKS_PER_TURN - 1, BLOCKS_PER_TURN]


async def test_a_line_that_is_away_blinds_nobody_while_the_decision_waits() -> None:
    async with running() as bench:
        await bench.start()
        bench.events.clear()
        publish = bench.plc.results.publish

        async def cut(_result: Published) -> Delivery:
            bench.plc.results.publish = publish
            bench.line.disconnect()
            raise PlcError("plc.unreachable", "planted")

        bench.plc.results.publish = cut
        bench.feed("A1")
        await bench.desk.reached(State.SUSPENDED)
        assert bench.line.published == []
        told = [event.after if isinstance(event, StateChanged) else event for event in bench.events]
        assert [one for one in told if isinstance(one, str)] == ["SUSPENDING", "SUSPENDED"]
        assert steps(bench.events[: told.index("SUSPENDING")])[-1] in {"decide", f"strip {LAST}"}
        bench.line.cut = False
        bench.line.notice()
        await bench.sorted(1)
