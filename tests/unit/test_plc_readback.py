"""How often the station's block in the line PLC is looked at and written anew, by a clock that is typed in."""

from collections.abc import Sequence
from itertools import pairwise

import structlog

from drivers.plc.readback import Readback

EVERY_S = 0.5


class Looking:
    """A PLC that is looked at whenever that is due; the times of the writings in seconds from the start."""

    def __init__(self) -> None:
        self.readback = Readback(EVERY_S)
        self.now_s = 1000.0
        self.looks: list[float] = []
        self.written: list[float] = []
        self.readback.written(self.now_s)
        self.readback.learn([])

    def look(self, seconds: float, differing: Sequence[str]) -> None:
        """Let so many seconds pass while these registers read back otherwise."""
        end = self.now_s + seconds
        while self.now_s < end:
            self._pass(differing)

    def lose(self, *differing: str) -> None:
        """The next look finds these registers otherwise."""
        looks = len(self.looks)
        while len(self.looks) == looks:
            self._pass(differing)

    def _pass(self, differing: Sequence[str]) -> None:
        self.now_s += 0.01
        if self.readback.due(self.now_s):
            self.looks.append(round(self.now_s - 1000, 1))
            if self.readback.compared(differing, self.now_s):
                self.written.append(round(self.now_s - 1000, 1))
                self.readback.written(self.now_s)


def test_a_block_that_holds_is_looked_at_at_its_pace_and_never_written() -> None:
    plc = Looking()
    plc.look(10, [])
    assert 18 <= len(plc.looks) <= 20
    assert plc.written == []
    assert plc.readback.fault is None


def test_a_block_that_was_lost_is_written_at_the_next_look() -> None:
    plc = Looking()
    plc.lose("magic")
    plc.look(9, [])
    assert plc.written == [0.5]
    assert plc.readback.fault is None


def test_a_register_that_never_reads_back_gets_ever_longer_pauses_up_to_ten_seconds() -> None:
    plc = Looking()
    with structlog.testing.capture_logs() as log:
        plc.look(60, ["alarm_code"])
    gaps = [round(after - before) for before, after in pairwise(plc.written)]
    assert gaps[1:5] == [1, 2, 4, 8]
    assert set(gaps[5:]) == {10}
    assert [entry["times"] for entry in log] == [1, 2, 4, 8]
    assert plc.readback.fault is None, "which a handshake of the PLC's own may do"


def test_constants_that_are_lost_three_times_are_a_fault_until_they_have_been_kept_for_a_while() -> None:
    plc = Looking()
    for _ in range(3):
        assert plc.readback.fault is None
        plc.lose("magic")
        plc.look(2.5, [])
    assert plc.readback.fault is not None
    assert plc.readback.fault.code == "plc.overwritten"
    plc.look(7, [])
    assert plc.readback.fault is not None
    with structlog.testing.capture_logs() as log:
        plc.look(2, [])
    assert plc.readback.fault is None
    assert [entry["event"] for entry in log] == ["plc_block_kept"]


def test_constants_that_were_never_seen_are_no_fault() -> None:
    plc = Looking()
    plc.readback = Readback(EVERY_S)
    plc.look(60, ["map_version", "magic", "state_current"])
    assert plc.readback.fault is None
    assert not plc.readback.kept
    assert 8 <= len(plc.written) <= 12


def test_a_plc_that_is_restarted_now_and_then_is_no_fault() -> None:
    plc = Looking()
    for _ in range(10):
        plc.lose("map_version", "magic", "state_current")
        plc.look(12, [])
    assert plc.readback.fault is None
    assert len(plc.written) == 10


def test_the_pauses_are_short_again_after_the_block_was_kept() -> None:
    plc = Looking()
    plc.look(30, ["stop_reason"])
    plc.look(25, [])
    before = len(plc.written)
    plc.lose("stop_reason")
    assert len(plc.written) == before + 1


def test_a_plc_that_begins_anew_gets_the_block_at_once_also_where_a_register_never_reads_back() -> None:
    plc = Looking()
    plc.look(60, ["alarm_code"])
    for _ in range(10):
        before = len(plc.written)
        plc.lose("map_version", "magic", "state_current", "alarm_code")
        assert len(plc.written) == before + 1
        plc.look(60, ["alarm_code"])
        assert plc.readback.fault is None


def test_constants_that_come_and_go_are_not_written_at_every_look_either() -> None:
    plc = Looking()
    for _ in range(120):
        plc.lose("magic", "alarm_code")
        plc.lose("alarm_code")
    assert plc.readback.fault is not None
    assert len(plc.written) <= 18, "in two minutes"
