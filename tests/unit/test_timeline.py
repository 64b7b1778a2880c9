"""The deadline ledger of a part: written flat, read back the same, and what it says of the network's load."""

import pytest

from station.core.timeline import BlockTimes, Delivery, MoveTimes, ScanTimes, SettleTimes, load_of

MS = 1_000_000
BLOCK_S = 0.020


def turn(strip_ms: int, arrived_ms: int = 1, blocks: int = 8) -> ScanTimes:
    """A turn whose network needs so long for each strip; a block is exposed in 20 ms."""
    taken, free = [], 0
    for number in range(blocks):
        last_line = (number + 1) * 20 * MS
        arrived = last_line + arrived_ms * MS
        free = max(arrived, free) + strip_ms * MS
        taken.append(BlockTimes(last_line, arrived, free))
    return ScanTimes(0, 0, tuple(taken), free + MS)


@pytest.mark.parametrize(
    "times",
    [
        turn(5),
        ScanTimes(7, None, (), 9),
        ScanTimes(None, None, (), 9),
        ScanTimes(7, 8, (BlockTimes(10, 11, None), BlockTimes(20, 21, 22)), 30),
    ],
)
def test_what_was_written_is_read_back(times: ScanTimes) -> None:
    assert ScanTimes.of(times.flat()) == times


def test_a_record_of_an_older_version_is_read_as_far_as_it_goes() -> None:
    flat = {"armed": 5, "block_0_last_line": 10, "block_0_arrived": 11, "block_0_scored": 15, "decided": 17}
    assert ScanTimes.of(flat) == ScanTimes(5, None, (BlockTimes(10, 11, 15),), 17)
    assert ScanTimes.of({"armed": 5, "decided": 17}).last_line_ns is None


def test_names_of_what_comes_after_the_decision() -> None:
    settled = SettleTimes(Delivery(1, 2), 3)
    assert settled.flat() == {"plc_sent": 1, "plc_acknowledged": 2, "committed": 3}
    assert MoveTimes(4, 5, None, None).flat() == {"jig_stop_ordered": 4, "jig_at_rest": 5}


@pytest.mark.parametrize(
    ("strip_ms", "waiting", "overloaded"),
    [(5, 0, False), (19, 0, False), (22, 1, True), (25, 2, True), (60, 5, True), (200, 7, True)],
)
def test_the_load_of_a_turn(strip_ms: int, waiting: int, overloaded: bool) -> None:  # noqa: FBT001
    load = load_of(turn(strip_ms), BLOCK_S)
    assert (load.waiting, load.strip_ms, load.block_ms, load.overloaded) == (waiting, strip_ms, 20.0, overloaded)


def test_blocks_that_come_faster_than_the_line_rate_are_no_overload() -> None:
    burst = ScanTimes(0, None, tuple(BlockTimes(1, 1, (number + 1) * 5 * MS) for number in range(8)), 50 * MS)
    load = load_of(burst, BLOCK_S)
    assert (load.waiting, load.strip_ms, load.overloaded) == (7, pytest.approx(5.0, abs=0.01), False)


def test_a_turn_without_a_scored_block_has_no_load() -> None:
    load = load_of(ScanTimes(0, None, (BlockTimes(1, 2, None),), 9), BLOCK_S)
    assert (load.waiting, load.strip_ms, load.overloaded) == (0, 0.0, False)


def test_the_figures_in_words() -> None:
    assert str(load_of(turn(22), BLOCK_S)) == "22.0 ms a strip, a block is exposed in 20.0 ms, 1 block waited"
    assert str(load_of(turn(60), BLOCK_S)).endswith("5 blocks waited")
