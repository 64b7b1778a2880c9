"""Sparkplug without a broker: bytes, the life of a node, what is asked of it, and what it still has to tell."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.core.errors import FAULTS, PlantError
from station.core.records import LastTold
from station.core.sparkplug_settings import SparkplugSettings
from station.plant.cell_values import HEARD, rows_of
from station.plant.running import alone
from station.plant.sparkplug.book import Book, Page
from station.plant.sparkplug.commands import Asked, metric_name, read_command
from station.plant.sparkplug.hosting import PrimaryHost, PrimaryHostGoneError
from station.plant.sparkplug.metrics import metrics_of, result_metrics
from station.plant.sparkplug.node import EdgeNode, Topics, death
from station.plant.sparkplug.outbox import Outbox
from station.plant.sparkplug.payload import PUBLISHED, BadPayloadError, DataType, Metric, Payload, decode, encode
from station.records.ended import read_ended
from station.records.reader import SqliteReader
from station.view.picture import CellPicture
from tests.housings import TABLE, Verdict
from tests.record_samples import PART_TYPE, START, HandClock, decision, judgement, open_ledger, part

ROOT = Path(__file__).parents[2]
WHOLE = {DataType.INT32: (-(1 << 31), (1 << 31) - 1), DataType.INT64: (0, (1 << 63) - 1)}
VALUES = st.one_of(
    st.tuples(st.just(DataType.STRING), st.text()),
    st.tuples(st.just(DataType.BOOLEAN), st.booleans()),
    st.tuples(st.just(DataType.DOUBLE), st.floats(allow_nan=False)),
    *(st.tuples(st.just(kind), st.integers(*WHOLE.get(kind, WHOLE[DataType.INT64])))
      for kind in (DataType.INT32, DataType.INT64, DataType.UINT64, DataType.DATETIME)),
    st.tuples(st.sampled_from(sorted(PUBLISHED)), st.none()),
)  # fmt: skip


# ---------------------------------------------------------------------- bytes


@given(st.lists(st.tuples(st.text(), VALUES, st.booleans()), max_size=5), st.integers(0, 1 << 50), st.integers(0, 255))
def test_what_was_written_is_read_back(
    found: list[tuple[str, tuple[DataType, object], bool]], at: int, seq: int
) -> None:
    metrics = tuple(Metric(name, kind, value, at, late) for name, (kind, value), late in found)  # type: ignore[arg-type]
    payload = Payload(at, metrics, seq)
    assert decode(encode(payload)) == payload


def test_the_bytes_are_those_of_the_specification() -> None:
    """Typed in from protobuf's encoding: keys are field << 3 | wire type."""
    payload = Payload(150, (Metric("A", DataType.INT32, -1, 1), Metric("B", DataType.BOOLEAN, value=None)), 255)
    assert encode(payload).hex() == (
        "089601"  # 1 timestamp
        "120d0a01411801200350ffffffff0f"  # 2 metric: name, timestamp, datatype, int_value as two's complement
        "12070a0142200b3801"  # 2 metric: name, datatype, is_null
        "18ff01"  # 3 seq
    )  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        (Metric("A", DataType.UINT32, 1), "not published"),
        (Metric("A", DataType.INT64, -1), "does not fit"),
        (Metric("A", DataType.UINT64, 1 << 63), "does not fit"),
        (Metric("A", DataType.INT32, 1 << 31), "does not fit"),
    ],
)
def test_what_others_read_as_null_is_not_published(metric: Metric, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        encode(Payload(0, (metric,)))


@given(st.binary(max_size=200))
def test_rubbish_is_refused_and_nothing_else_happens(data: bytes) -> None:
    try:
        decode(data)
    except BadPayloadError:
        return


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("12", "within a number"), ("1205", "within field 2"), ("0b", "wire type 3"), ("08" + "ff" * 10, "64 bits"),
        ("120210c0", "within a number"), ("12021001", "alias"), ("12030a0141", "no name or no type"),
        ("12050a01412063", "99"), ("12050a0141200c", "no value"), ("12080a0141200b720100", "number"),
        ("12070a01ff200b7001", "codec"),
    ],
)  # fmt: skip
def test_each_kind_of_rubbish_is_told_apart(data: str, why: str) -> None:
    with pytest.raises(BadPayloadError, match=why):
        decode(bytes.fromhex(data))


# ---------------------------------------------------------------------- the node


def test_a_birth_begins_the_sequence_and_only_changes_follow_round_the_corner() -> None:
    node = EdgeNode(7)
    born = decode(node.birth([Metric("A", DataType.STRING, "x")], 1))
    assert born.seq == 0
    assert [(metric.name, metric.value) for metric in born.metrics] == [
        ("bdSeq", 7), ("Node Control/Rebirth", False), ("A", "x"),
    ]  # fmt: skip
    assert node.data([Metric("A", DataType.STRING, "x")], 2) is None, "nothing has changed"
    seqs = [decode(node.data([Metric("A", DataType.STRING, str(n))], 3) or b"").seq for n in range(256)]
    assert seqs == [*range(1, 256), 0]
    assert decode(node.birth([], 4)).seq == 0
    assert decode(death(7, 5)) == Payload(5, (Metric("bdSeq", DataType.INT64, 7, 5),), None)


def test_what_is_told_of_late_is_not_what_is_so_now() -> None:
    node = EdgeNode(0)
    node.birth([Metric("A", DataType.STRING, "now")], 1)
    node.whole([Metric("A", DataType.STRING, "then", 0, historical=True)], 2)
    assert node.data([Metric("A", DataType.STRING, "now")], 3) is None
    with pytest.raises(KeyError):
        node.whole([Metric("unborn", DataType.STRING, "x")], 4)


def test_topics_are_those_of_the_specification() -> None:
    assert Topics("G", "N").of("NBIRTH") == "spBv1.0/G/NBIRTH/N"


def test_every_metric_has_a_value_of_its_type_and_none_while_the_station_is_not_heard() -> None:
    rows = rows_of(TABLE)
    told = CellPicture(TABLE.places, START).full
    known, unknown = metrics_of(rows, told, 5), metrics_of(rows, {}, 5)
    assert len({metric.name for metric in known}) == len(known)
    decoded = decode(encode(Payload(5, (*known, *result_metrics(None)))))
    assert {metric.name: metric.value for metric in decoded.metrics}["Cell/State Number"] == 2
    assert {metric.name: metric.value for metric in unknown if metric.value is not None} == {HEARD: False}
    assert [metric.name for metric in known] == [metric.name for metric in unknown]


# ---------------------------------------------------------------------- what is asked of it


def command(*metrics: Metric) -> bytes:
    return encode(Payload(1, metrics))


def flag(name: str, *, value: bool = True) -> Metric:
    return Metric(name, DataType.BOOLEAN, value)


@pytest.mark.parametrize(
    ("data", "retained", "asked"),
    [
        (command(flag("Node Control/Rebirth")), False, Asked(rebirth=True)),
        (command(flag("Command/Stop"), flag("Command/Start")), False, Asked(commands=("stop", "start"))),
        (command(flag("Command/Stop")), True, Asked(ignored=("it was retained, and a command is for now",))),
        (command(), False, Asked(ignored=("it has no metric",))),
        (command(flag("Command/Abort")), False, Asked(ignored=("'Command/Abort' is not in sparkplug.commands",))),
        (command(flag("Command/Stop", value=False)), False, Asked(ignored=("'Command/Stop' is not a true Boolean",))),
        (command(Metric("Command/Stop", DataType.STRING, "true")), False,
         Asked(ignored=("'Command/Stop' is not a true Boolean",))),
        (b"\xff", False, Asked(ignored=("the payload ends within a number",))),
    ],
)  # fmt: skip
def test_only_what_is_listed_is_obeyed(data: bytes, *, retained: bool, asked: Asked) -> None:
    assert read_command(data, ["stop", "start"], retained=retained) == asked
    assert metric_name("stop") == "Command/Stop"


def test_a_host_is_believed_by_its_own_dates() -> None:
    host = PrimaryHost("scada")
    for said in (b"ONLINE", b"{}", b'{"online": 1, "timestamp": 5}', b'{"online": false, "timestamp": 9}', b"[]",
                 b'{"online": true, "timestamp": 8}'):  # fmt: skip
        host.hear(said)
        assert not host.online.is_set()
    host.hear(b'{"online": true, "timestamp": 9}')
    assert host.online.is_set()
    host.hear(b'{"online": false, "timestamp": 8}')  # the will of a connection before
    with pytest.raises(PrimaryHostGoneError):
        host.hear(b'{"online": false, "timestamp": 10}')
    assert PrimaryHost("").online.is_set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "10.0.0.9", "username": "cell", "password_file": "/p"}, {"group": "a/b"}, {"node": ""},
        {"tls_ca": "/ca.pem"}, {"tls_certificate": "/c.pem", "tls": True}, {"password_file": "/p"},
        {"commands": ["dance"]}, {"keepalive_s": 0}, {"port": 0}, {"primary_host": "a+b"},
    ],
    ids=str,
)  # fmt: skip
def test_a_configuration_that_tells_secrets_or_has_no_topic_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        SparkplugSettings.model_validate(wrong)
    assert SparkplugSettings().commands == []


# ---------------------------------------------------------------------- what it still has to tell


async def worked(folder: Path, *steps: str) -> list[str]:
    """A shift of parts: each is `sorted`, `withdrawn`, `lost`, or left `open`; their inspection ids."""
    ledger = await open_ledger(folder, clock := HandClock())
    ids = []
    for number, step in enumerate(steps, 1):
        inspection = await ledger.enter(part(f"P{number}", number), PART_TYPE)
        ids.append(inspection.inspection_id)
        if step == "withdrawn":
            await ledger.withdrawn(inspection, FAULTS["part.withdrawn"], "taken away")
        elif step != "open":
            await ledger.judged(inspection, judgement(decision(Verdict.PITS)))
        if step == "sorted":
            await ledger.sorted(inspection, Verdict.PITS.place)
        elif step == "lost":
            await ledger.lost(inspection, FAULTS["robot.part_lost"], "fell")
        clock.advance(minutes=1)
    await ledger.close()
    return ids


async def test_what_ended_is_told_in_order_up_to_what_has_not(tmp_path: Path) -> None:
    ids = await worked(tmp_path, "sorted", "withdrawn", "lost", "open", "sorted")
    told = read_ended(tmp_path, LastTold(0, "", ""), 10)
    assert [(row["inspection_id"], row["state"]) for row in told] == [
        (ids[0], "sorted"), (ids[1], "withdrawn"), (ids[2], "lost"),
    ]  # fmt: skip
    assert [row["part_id"] for row in read_ended(tmp_path, LastTold.of(told[0]), 1)] == ["P2"]
    assert read_ended(tmp_path, LastTold.of(told[2]), 10) == [], "the open one holds up the one behind it"
    assert [row["part_id"] for row in read_ended(tmp_path, None, 10)] == ["P5"], "the newest of all"
    dates = {metric.at_ms for row in told for metric in result_metrics(row)}
    assert len(dates) == 3
    assert all(metric.historical for metric in result_metrics(told[0], before_ms=max(dates) + 1))  # type: ignore[type-var,operator]


async def test_records_of_a_backup_are_told_on_from_the_moment_that_was_told_last(tmp_path: Path) -> None:
    await worked(tmp_path, "sorted", "sorted", "sorted")
    second = read_ended(tmp_path, LastTold(0, "", ""), 10)[1]
    elsewhere = LastTold(90, "OF-ANOTHER-TIME", second["entered_at"])
    assert [row["part_id"] for row in read_ended(tmp_path, elsewhere, 10)] == ["P3"]


async def test_the_first_connection_tells_nothing_of_before_and_each_the_next_number(tmp_path: Path) -> None:
    outbox = Outbox(SqliteReader(tmp_path, TABLE), tmp_path)
    assert [await outbox.begin("2026-05-01T06:00:00.000Z") for _ in range(3)] == [0, 1, 2]
    assert await outbox.parts() == []
    assert await outbox.newest() is None
    assert await outbox.states("2026-05-01T07:00:00.000Z") == []


def test_the_book_is_whole_or_refused(tmp_path: Path) -> None:
    book = Book(tmp_path)
    assert book.read() == Page()
    page = Page(255, LastTold(3, "ID", "2026-05-01T06:00:00.000Z"), "2026-05-01T06:00:00.000Z")
    book.write(page)
    assert Book(tmp_path).read() == page
    assert page.born().bd_seq == 0, "round the corner"
    for rubbish in (b"", b"{}", b'{"bd_seq": "x", "part": null, "states_until": null}', b'{"bd_seq": 1, "part": 7}'):
        (tmp_path / "sparkplug.json").write_bytes(rubbish)
        with pytest.raises(PlantError) as refused:
            book.read()
        assert refused.value.code == "sparkplug.book_unusable"
    with pytest.raises(PlantError) as refused:
        Book(tmp_path / "gone").write(page)
    assert refused.value.code == "sparkplug.book_unusable"


def test_two_of_a_kind_do_not_serve_one_folder(tmp_path: Path) -> None:
    with alone(tmp_path, "sparkplug"):
        with pytest.raises(PlantError) as refused, alone(tmp_path, "sparkplug"):
            pass
        assert refused.value.code == "plant.runs_already"
        with alone(tmp_path, "opcua"):
            pass
    with alone(tmp_path, "sparkplug"):
        pass


# ---------------------------------------------------------------------- the specification


def test_every_sentence_of_the_specification_has_a_test_that_is_there() -> None:
    page = (ROOT / "station/plant/sparkplug/assertions.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([\w-]+)` \| `(\w+)` \|$", page, re.MULTILINE))
    tests = "".join(
        (ROOT / "tests" / kind / "test_sparkplug.py").read_text(encoding="utf-8") for kind in ("unit", "plant")
    )
    assert len(rows) > 100
    assert {test for test in rows.values() if f"def {test}(" not in tests} == set()
