"""The exported files as tools of others read them: a grammar of IEC 61131-3, and classes made from PLCopen's schema."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from drivers.modbus.register_map import load_map
from station.plant.integration.block import block_of
from station.plant.integration.plcopen import plcopen_xml
from station.plant.integration.structured_text import structured_text
from station.plant.integration.variables import codesys_variables
from tests.housings import INSPECTED
from tests.plant.structured_text import FunctionBlock, IllFormedError, parsed

pytestmark = pytest.mark.plant

NOW = datetime(2026, 12, 1, 3, 0, 0)  # noqa: DTZ001  # the format has no zone


def test_plcopen_xml_is_read_by_classes_made_from_the_schema_and_nothing_in_it_is_unknown() -> None:
    from plcopen import Project  # noqa: PLC0415  # of make test-plant alone
    from xsdata.formats.dataclass.parsers import XmlParser  # noqa: PLC0415
    from xsdata.formats.dataclass.parsers.config import ParserConfig  # noqa: PLC0415

    made = block_of(load_map("plc", INSPECTED), INSPECTED)
    strict = ParserConfig(
        fail_on_unknown_properties=True, fail_on_unknown_attributes=True, fail_on_converter_warnings=True
    )
    project = XmlParser(config=strict).from_string(plcopen_xml(made, NOW), Project)
    (pou,) = project.types.pous.pou
    assert (pou.name, pou.pou_type.value) == ("FB_InspectionStation", "functionBlock")
    lists = [
        *pou.interface.input_vars,
        *pou.interface.output_vars,
        *pou.interface.in_out_vars,
        *pou.interface.local_vars,
    ]
    assert sum(len(one.variable) for one in lists) == len(made.variables)
    constant, retain, plain = pou.interface.local_vars
    assert (constant.constant, retain.retain, plain.constant) == (True, True, False)


def test_plcopen_xml_has_all_that_the_schema_requires_in_the_order_of_the_schema() -> None:
    from plcopen import Project  # noqa: PLC0415  # of make test-plant alone
    from xsdata.formats.dataclass.parsers import XmlParser  # noqa: PLC0415
    from xsdata.formats.dataclass.serializers import XmlSerializer  # noqa: PLC0415

    text = plcopen_xml(block_of(load_map("plc", INSPECTED), INSPECTED), NOW)
    project = XmlParser().from_string(text, Project)
    assert list(missing(project)) == []
    written = XmlSerializer().render(project)  # in the order of the classes' fields, which is that of the schema
    assert shape(fromstring(text)) == shape(fromstring(written))  # noqa: S314  # made here


def shape(element: Element) -> tuple[str, list[Any]]:
    """The element's name and those in it; the lists of variables may come in any order, as a choice of the schema."""
    inner = [shape(one) for one in element]
    return element.tag, sorted(inner, key=lambda one: one[0]) if element.tag.endswith("}interface") else inner


def missing(made: object) -> Iterator[str]:
    """What the schema requires and is not there."""
    if isinstance(made, list):
        for one in made:
            yield from missing(one)
    elif is_dataclass(made):
        for field in fields(made):
            value = getattr(made, field.name)
            least = field.metadata.get("min_occurs", 0)
            if (field.metadata.get("required") and value is None) or (isinstance(value, list) and len(value) < least):
                yield f"{type(made).__qualname__}.{field.name}"
            yield from missing(value)


def test_the_list_of_global_variables_is_structured_text() -> None:
    text = codesys_variables(load_map("plc", INSPECTED)).partition("\n")[2]  # the attribute is CODESYS' own
    assert parsed(text).named_children[0].type == "global_var_declaration_block"


SOUND = structured_text(block_of(load_map("plc", INSPECTED), INSPECTED))


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("begun := TRUE;", "begun := TRUE", "line "),
        ("begun := TRUE;", "begun := 1;", "BOOL is given any integer"),
        ("begun := TRUE;", "begin := TRUE;", "begin cannot be assigned"),
        ("step := STEP_WAIT;", "STEP_RUN := 1;", "STEP_RUN cannot be assigned"),
        (
            "beat := WORD_TO_UINT(toStation[P_PLC_HEARTBEAT]);",
            "beat := toStation[P_PLC_HEARTBEAT];",
            "UINT is given WORD",
        ),
        ("decision = GOOD", "number = GOOD", "WORD = UINT"),
        ("UINT_TO_WORD(beat + 1)", "UINT_TO_WORD(beat + number)", "UINT + WORD"),
        ("commandReason := 0;", "commandReason := 70000;", "70000 does not fit UINT"),
        ("staleTimer(IN", "beat(IN", "beat is no timer"),
    ],
)
def test_a_block_that_mixes_types_is_refused_before_it_runs(old: str, new: str, wrong: str) -> None:
    assert old in SOUND
    with pytest.raises(IllFormedError, match=re.escape(wrong)):
        FunctionBlock(SOUND.replace(old, new, 1), lambda: 0)


# ---------------------------------------------------------------------- the block, call by call


class Bench:
    """The block with a clock that a test turns, and a station's half that it fills."""

    def __init__(self, text: str = SOUND, *, station_serves: bool = False) -> None:
        self.now_ms = 0
        self.block = FunctionBlock(text, lambda: self.now_ms)
        self.station, self.plc = [0] * 66, [0] * 25
        self.station[0:2] = [1, 0xA55A]
        self.inputs = {
            "stationServes": station_serves, "connected": True, "heard": True, "written": True, "permit": True,
            "acknowledgedKnown": not station_serves, "fromStation": self.station, "toStation": self.plc,
            "partId": [0x4142] + [0] * 7, "partType": 3, "partWaits": False, "giveCommand": False, "giveAlarm": False,
        }  # fmt: skip

    def call(self, times: int = 1, *, beats: bool = True, **inputs: object) -> None:
        """So many calls, 50 ms apart."""
        for _ in range(times):
            self.now_ms += 50
            if beats:
                self.station[10] = self.station[10] % 65535 + 1
            self.block.call(**{**self.inputs, **inputs})

    def result(self, number: int, decision: int, complement: int, place: int = 0, inspection: int = 7) -> None:
        """A result as the station writes it."""
        self.station[30:32] = [0, inspection]
        self.station[41:45] = [decision, complement, 1, place]
        self.station[50] = number

    def __getitem__(self, name: str) -> object:
        return self.block.memory[name]


def running(**keys: bool) -> Bench:
    bench = Bench(**keys)
    bench.call(20)
    assert bench["ready"]
    return bench


def test_before_the_station_was_heard_nothing_is_said() -> None:
    bench = Bench()
    bench.station[20], bench.station[24] = 65535, 8
    bench.call(10, beats=False, partWaits=True)
    assert (bench["alive"], bench.plc[0:2], bench.plc[3], bench.plc[21]) == (False, [1, 0xA55A], 0, 0)
    bench.call(3, partWaits=True)
    assert bench.plc[21] == 0, "no part is shown for a while"
    bench.call(20, partWaits=True)
    assert (bench.plc[3], bench.plc[21]) == (1, 1), "after 65535 comes 1"


def test_a_station_whose_heart_stands_is_not_believed() -> None:
    bench = running()
    bench.result(1, 1, 65534)
    bench.call()
    assert bench["good"]
    bench.call(45, beats=False)
    assert (bench["alive"], bench["good"], bench["state"]) == (False, False, 0)
    bench.result(2, 1, 65534, place=1)
    bench.call(beats=False)
    assert (bench["newPlace"], bench.plc[6]) == (False, 1)


@pytest.mark.parametrize("word", [0, 1])
def test_another_map_is_not_believed(word: int) -> None:
    bench = Bench()
    bench.station[word] += 1
    bench.call(30)
    assert (bench["mapFits"], bench["alive"], bench["ready"]) == (False, False, False)


@pytest.mark.parametrize(("decision", "complement"), [(1, 65533), (1, 0), (0, 65535), (1, 1)])
def test_a_result_that_does_not_fit_its_complement_passes_nothing(decision: int, complement: int) -> None:
    bench = running()
    bench.result(1, 1, 65534, place=1)
    bench.call()
    assert bench["good"]
    bench.result(2, decision, complement, place=1, inspection=8)
    bench.call(3)
    assert (bench["good"], bench["newPlace"], bench["resultDoubtful"], bench.plc[6]) == (False, False, True, 1)
    bench.result(2, 3, 65532, place=3, inspection=8)
    bench.call()
    assert (bench["good"], bench["newPlace"], bench["resultDoubtful"], bench.plc[6]) == (False, True, False, 2)


def test_each_result_is_told_of_in_one_call_and_not_again_after_a_restart() -> None:
    bench = running()
    bench.result(1, 1, 65534)
    bench.call()
    assert (bench["newDecision"], bench["newPlace"]) == (True, False)
    bench.call()
    assert not bench["newDecision"]
    bench.result(2, 1, 65534, place=1)
    bench.call()
    assert bench["newPlace"]
    bench.block.restart()
    for _ in range(20):
        bench.call()
        assert not bench["newPlace"]
    assert (bench["ready"], bench.plc[6]) == (True, 2), "it was acknowledged once more all the same"


def test_a_command_is_given_once_answered_and_not_later() -> None:
    bench = running()
    bench.call(command=1, giveCommand=True)
    assert (bench.plc[4:6], bench["commandBusy"]) == ([1, 1], True)
    bench.station[24:27] = [1, 2, 5003]
    bench.call(command=1, giveCommand=True)
    assert (bench["commandAnswered"], bench["commandTaken"], bench["commandReason"]) == (True, False, 5003)
    bench.call(5, command=1, giveCommand=True)
    assert bench.plc[5] == 1, "one edge, one command"
    bench.call(command=2)
    bench.call(command=2, giveCommand=True)
    assert bench.plc[4:6] == [2, 2]
    bench.call(45, beats=False)
    assert (bench["commandBusy"], bench.plc[5]) == (False, 0), "what nobody answered does not stand there"


def test_a_command_that_the_station_has_lost_is_given_again_with_the_next_number() -> None:
    bench = running()
    bench.call(command=2, giveCommand=True)
    bench.call(45)
    assert bench.plc[4:6] == [2, 2]
    bench.call(130)
    assert (bench["commandBusy"], bench["commandTaken"], bench.plc[5]) == (False, False, 0)


def test_an_alarm_is_acknowledged_by_its_number() -> None:
    bench = running()
    bench.station[60:63] = [1, 1, 3004]
    bench.call(giveAlarm=True)
    assert bench.plc[7:9] == [3004, 1]
    bench.station[64:66] = [1, 1]
    bench.call()
    assert (bench["alarmAnswered"], bench["alarmTaken"]) == (True, True)


def test_a_part_is_held_until_it_is_gone_and_the_next_has_the_next_number() -> None:
    bench = running()
    bench.call(partWaits=True)
    assert (bench.plc[12:20], bench.plc[20], bench.plc[21]) == ([0x4142] + [0] * 7, 3, 1)
    bench.station[20] = 1
    bench.call(2, partWaits=True)
    assert (bench["partAccepted"], bench.plc[21]) == (True, 1)
    bench.call(partWaits=False)
    assert bench.plc[21] == 0
    bench.call(partWaits=True)
    assert bench.plc[21] == 2
    bench.call(partWaits=True, partId=[0x4143] + [0] * 7)
    assert bench.plc[21] == 0, "another part is there without a gap"
    bench.call(partWaits=True, partId=[0x4143] + [0] * 7)
    assert (bench.plc[12], bench.plc[21]) == (0x4143, 3)


def test_where_the_station_serves_the_first_write_of_a_connection_has_nothing_new_in_it() -> None:
    bench = Bench(station_serves=True)
    bench.call(5, written=False)
    assert (bench["mayWrite"], bench["ready"]) == (False, False), "what was acknowledged is not known yet"
    bench.inputs |= {"acknowledgedKnown": True, "acknowledgedBefore": 41}
    bench.call(written=False)
    assert (bench["mayWrite"], bench.plc[6]) == (True, 41)
    bench.call(20, written=False)
    assert not bench["ready"], "the station was not told yet that there is no part"
    bench.call(20)
    assert bench["ready"]
    bench.result(42, 1, 65534)
    bench.call(connected=False, heard=False, written=False)
    bench.call(3, written=False, partWaits=True, command=3, giveCommand=True)
    assert (bench.plc[6], bench.plc[5], bench.plc[21]) == (41, 0, 0)
    bench.call(2, partWaits=True)
    assert (bench.plc[6], bench.plc[21]) == (42, 1)
