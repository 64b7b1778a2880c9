"""The station's heartbeat and a peer's, by a clock that is typed in."""

import math

import pytest

from drivers.modbus.heartbeat import Freshness, HeartbeatOut, beat_after


@pytest.mark.parametrize(("number", "after"), [(0, 1), (1, 2), (65534, 65535), (65535, 1)])
def test_beats_count_on_and_leave_out_0(number: int, after: int) -> None:
    assert beat_after(number) == after


def test_the_first_beat_is_due_at_once_and_each_next_one_a_beats_time_after_the_one_before() -> None:
    heart = HeartbeatOut(0.5)
    assert heart.is_due(-1e9)
    assert heart.beat(10.0) == 1
    assert not heart.is_due(10.4)
    assert heart.is_due(10.5)
    assert heart.beat(11.0) == 2, "a late one is not made up for"
    assert not heart.is_due(11.4)


def test_a_peer_is_fresh_from_its_second_number_on_for_as_long_as_it_may_stand() -> None:
    peer = Freshness(2.0)
    assert not peer.hear(7, 100.0)
    assert peer.fresh_until_s == -math.inf
    assert not peer.hear(7, 101.0)
    assert peer.hear(8, 101.5)
    assert peer.fresh_until_s == 103.5
    assert peer.hear(7, 102.0), "any change counts"
    assert peer.fresh_until_s == 104.0


def test_a_peer_stands_still_from_when_its_number_was_read_first_whether_it_ever_beat_or_not() -> None:
    peer = Freshness(2.0)
    peer.hear(7, 100.0)
    peer.hear(7, 102.0)
    assert (peer.stood_s(102.0), peer.stands_still(102.0)) == (2.0, False)
    assert peer.stands_still(102.1)
    peer.hear(8, 102.2)
    assert not peer.stands_still(104.0)


def test_a_peer_that_is_forgotten_is_met_anew_and_one_that_is_doubted_has_to_beat() -> None:
    peer = Freshness(2.0)
    peer.hear(7, 100.0)
    peer.hear(8, 100.5)
    peer.doubt()
    assert peer.fresh_until_s == -math.inf
    assert peer.hear(9, 101.0), "its number is known still"
    assert peer.fresh_until_s == 103.0
    peer.forget()
    assert not peer.hear(10, 110.0)
    assert not peer.stands_still(111.0)
