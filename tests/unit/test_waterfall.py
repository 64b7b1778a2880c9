"""The picture of a part's deadline ledger: every moment in its place, 100 columns wide, older records too."""

from station.core.timeline import BlockTimes, ScanTimes
from station.view.waterfall import BAR_COLUMNS, NAME_COLUMNS, waterfall

MS = 1_000_000


def times() -> dict[str, int]:
    blocks = tuple(BlockTimes(n * 20 * MS, (n * 20 + 1) * MS, (n * 20 + 6) * MS) for n in range(1, 9))
    scan = ScanTimes(0, 0, blocks, 167 * MS).flat()
    after = {"plc_sent": 168, "plc_acknowledged": 170, "committed": 180, "jig_stop_ordered": 168}
    moves = {"jig_at_rest": 460, "robot_ordered": 470, "robot_done": 1700}
    return scan | {name: at * MS for name, at in (after | moves).items()}


def lines(of: dict[str, int]) -> list[str]:
    return [line.plain for line in waterfall(of)]


def bar(line: str) -> str:
    return line[NAME_COLUMNS : NAME_COLUMNS + BAR_COLUMNS]


def test_every_moment_is_told_within_100_columns() -> None:
    drawn = lines(times())
    names = [line[:NAME_COLUMNS].strip() for line in drawn]
    assert names == [
        "The turn", *(f"block {n}" for n in range(8)), "", "",
        "After it", "arrived", "scored", "decided", "PLC sent", "PLC acknowledged", "committed", "jig at rest",
        "robot done",
    ]  # fmt: skip
    assert max(map(len, drawn)) <= 100
    said = {line[:NAME_COLUMNS].strip(): line[NAME_COLUMNS + BAR_COLUMNS :].split() for line in drawn}
    assert said["block 7"] == ["arrived", "1.0", "scored", "6.0"]
    assert said["decided"] == ["7.0", "took", "1.0"]
    assert said["PLC acknowledged"] == ["10.0", "took", "2.0"]
    assert said["jig at rest"] == ["300.0", "took", "292.0"]
    assert said["robot done"] == ["1540.0", "took", "1230.0"]


def test_bars_lie_where_their_time_is() -> None:
    drawn = {line[:NAME_COLUMNS].strip(): bar(line) for line in lines(times())}
    assert drawn["block 0"].startswith("░░░░░")
    assert drawn["block 7"].rstrip().endswith("█")
    assert drawn["block 7"].index("░") > drawn["block 6"].index("░") > drawn["block 0"].index("░")
    half = BAR_COLUMNS // 2  # 20 ms are shown, the PLC had it after 10
    assert drawn["PLC acknowledged"].rstrip().endswith("█")
    assert len(drawn["PLC acknowledged"].rstrip()) == half
    assert drawn["committed"].strip(" ") == "█" * half
    assert drawn["robot done"].strip() == "▸"


def test_an_older_record_is_drawn_as_far_as_it_knows() -> None:
    old = {name: at for name, at in times().items() if name.startswith("block") or name in ("armed", "decided")}
    drawn = lines(old)
    assert [line[:NAME_COLUMNS].strip() for line in drawn[-3:]] == ["arrived", "scored", "decided"]
    assert drawn[1].startswith("block 0")
    assert "░░░" in drawn[1]


def test_blocks_that_were_not_scored_and_a_single_block() -> None:
    drawn = lines(ScanTimes(0, None, (BlockTimes(20 * MS, 21 * MS, None),), 30 * MS).flat())
    assert "scored" not in drawn[1]
    assert [line[:NAME_COLUMNS].strip() for line in drawn[-2:]] == ["arrived", "decided"]


def test_a_part_that_was_not_scanned_says_so() -> None:
    assert lines(ScanTimes(None, None, (), 9).flat()) == ["The part was not scanned."]
