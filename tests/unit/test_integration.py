"""What `station integration export` writes: each dialect says the same, and every list has every register."""

import asyncio
import csv
import io
import json
import re
import tomllib
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from config import bundled
from drivers.modbus.profile import Profile
from drivers.modbus.register_map import RegisterMap, laid, load_map
from sim.cell import ArmPosition, Cell
from sim.devices.robot import RobotDevice, RobotTimes
from sim.ledger import Ledger, Part, Place
from sim.pace import MaxPace
from sim.spindle import Spindle
from sim.trace import trace
from station.cli.app import app
from station.core.clock import SystemClock
from station.core.errors import ConfigError
from station.core.settings import load_settings
from station.plant.integration.block import Block, block_of
from station.plant.integration.export import documents, write
from station.plant.integration.plcopen import TC6, plcopen_xml
from station.plant.integration.scl import scl, statements
from station.plant.integration.structured_text import structured_text
from station.plant.integration.texts import LANGUAGES, fault_texts, met, text_list
from station.plant.integration.timing import drawings, read_trace
from station.plant.integration.urscript import urscript
from station.plant.integration.variables import codesys_variables, gx_works_labels, tia_tags
from tests.contract.benches import Camera
from tests.housings import INSPECTED, TABLE

NOW = datetime(2026, 12, 1, 3, 0, 0)  # noqa: DTZ001  # the format has no zone
WORDS = {"IF", "THEN", "ELSIF", "ELSE", "END_IF", "FOR", "TO", "DO", "END_FOR", "NOT", "AND", "OR", "TRUE", "FALSE"}
PARAMETERS = {"IN", "PT", "Q"}


def plc() -> RegisterMap:
    return load_map("plc", INSPECTED)


def block(registers: RegisterMap | None = None) -> Block:
    return block_of(registers or plc(), INSPECTED)


def used(text: str) -> set[str]:
    """Names in the statements: no member of a structure, no comment, no number."""
    code = re.sub(r"//.*|16#[0-9A-F]+", "", text)
    return set(re.findall(r"(?<![.\w])[A-Za-z_]\w*", code)) - WORDS - PARAMETERS


def test_every_name_in_the_text_is_declared_once_and_every_declaration_is_used() -> None:
    made = block()
    names = [variable.name for variable in made.variables]
    assert len(names) == len(set(names))
    conversions = {name for name in used(made.text) if re.fullmatch(r"[A-Z]+_TO_[A-Z]+", name)}
    assert used(made.text) - conversions == set(names)


def test_the_places_are_those_of_the_document() -> None:
    places = {variable.name: variable.initial for variable in block().section("constant")}
    assert {name: places[name] for name in ("S_HEARTBEAT", "S_DECISION", "S_RESULT_SEQUENCE", "S_INSPECTION_HIGH")} == {
        "S_HEARTBEAT": "10", "S_DECISION": "41", "S_RESULT_SEQUENCE": "50", "S_INSPECTION_HIGH": "30",
    }  # fmt: skip
    assert {name: places[name] for name in ("P_PLC_HEARTBEAT", "P_RESULT_ACKNOWLEDGED", "P_PART_SEQUENCE")} == {
        "P_PLC_HEARTBEAT": "2", "P_RESULT_ACKNOWLEDGED": "6", "P_PART_SEQUENCE": "21",
    }  # fmt: skip
    assert (places["MAGIC"], places["MAP_VERSION"], places["GOOD"]) == ("16#A55A", "16#0001", "1")


def test_a_map_that_lies_elsewhere_gives_a_block_that_fits_it() -> None:
    there = Profile.model_validate({"description": "x", "holding_base": 1000, "word_order": "low_first"})
    made = block(laid(plc(), there))
    places = {variable.name: variable.initial for variable in made.section("constant")}
    assert (made.station.first, made.plc.first) == (1000, 1098)
    assert places["S_HEARTBEAT"] == "10", "within its half"
    assert (places["S_INSPECTION_HIGH"], places["S_INSPECTION_LOW"]) == ("31", "30")


def test_scl_is_the_same_statement_by_statement_with_every_variable_marked() -> None:
    made = block()
    marked = statements(made)
    assert marked.replace("#", "") == made.text.strip().replace("16#", "16")
    names = {variable.name for variable in made.variables}
    for line in marked.splitlines():
        code = line.partition("//")[0]
        bare = set(re.findall(r"(?<![.#\w])[A-Za-z_]\w*", re.sub(r"16#[0-9A-F]+", "", code)))
        assert not bare & names, line


def test_scl_has_the_data_block_that_a_modbus_server_serves() -> None:
    text = scl(block(), plc())
    assert "\r\n" in text
    assert "{ S7_Optimized_Access := 'FALSE' }" in text
    sizes = [
        int(size) + 1 for size in re.findall(r"^    \w+ : Array\[0\.\.(\d+)\] of Word;   // \d+ to", text, re.MULTILINE)
    ]
    assert sizes == [66, 32, 25, 7, 60], "as many words as registers, in their order"
    assert sum(sizes) == 190
    assert "staleTimer : TON_TIME;" in text
    assert 'result : "InspectionResult";' in text
    for word in ("TYPE", "FUNCTION_BLOCK", "DATA_BLOCK"):
        assert (
            len(re.findall(rf"^{word} ", text, re.MULTILINE))
            == len(re.findall(rf"^END_{word}", text, re.MULTILINE))
            == 1
        )


def test_plcopen_xml_has_every_declaration_and_the_text() -> None:
    made = block()
    root = ET.fromstring(plcopen_xml(made, NOW))  # noqa: S314  # it was written just now
    tag = f"{{{TC6}}}"
    pou = root.find(f"{tag}types/{tag}pous/{tag}pou")
    assert pou is not None
    names = [row.get("name") for row in pou.iterfind(f"{tag}interface/*/{tag}variable")]
    assert names == [variable.name for variable in made.variables]
    (text,) = pou.find(f"{tag}body/{tag}ST")  # type: ignore[misc]
    assert text.text == made.text.strip()


def test_structured_text_declares_what_must_survive_a_restart_as_retained() -> None:
    text = structured_text(block())
    retained = text.partition("VAR RETAIN")[2].partition("END_VAR")[0]
    assert {"lastInspection", "lastPlace"} == set(re.findall(r"^  (\w+) :", retained, re.MULTILINE))


def test_every_list_of_variables_has_every_register_at_its_address() -> None:
    codesys = dict(re.findall(r"^  station_(\w+) AT %MW(\d+) ", codesys_variables(plc()), re.MULTILINE))
    tia = {row[0].removeprefix("station_"): row[1] for row in csv.reader(io.StringIO(tia_tags(plc())))}
    gx = {
        row[1].removeprefix("station_"): row[4]
        for row in list(csv.reader(io.StringIO(gx_works_labels(plc())), delimiter="\t"))[2:]
    }
    for row in plc():
        assert codesys[row.name] == str(row.address)
        one = row.name if row.words == 1 or row.type in ("u32", "f32") else f"{row.name}_0"
        size = "D" if row.type in ("u32", "f32") else "W"
        assert tia[one] == f"%M{size}{2 * row.address}"
        assert gx[one] == f"D{row.address}"
    assert tia["part_id_7"] == "%MW78"
    assert len(tia) == len(gx)


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_fault_that_a_plc_can_meet_has_its_text_in_every_language_and_no_other_is_there(language: str) -> None:
    texts = tomllib.loads(bundled(f"fault_texts/{language}.toml").read_text(encoding="utf-8"))
    assert set(texts) == {fault.code for fault in met()}
    assert all(text.strip() for text in texts.values())
    assert fault_texts(language)[5002] != fault_texts("en")[5002]


def test_the_text_list_has_faults_decisions_and_places_with_their_numbers() -> None:
    rows = list(csv.reader(io.StringIO(text_list(TABLE)), delimiter="\t"))
    assert rows[0] == ["TextList", "Id", "Default", "en", "de", "ko"]
    assert {len(row) for row in rows} == {6}
    told = {(row[0], row[1]): row[4] for row in rows}
    assert told["InspectionFaults", "5002"].startswith("Das Lebenszeichen der SPS steht")
    assert {number for name, number in told if name == "InspectionPlaces"} == {
        str(place.code) for place in TABLE.places
    }
    assert {number for name, number in told if name == "InspectionDecisions"} == {
        str(verdict.code) for verdict in TABLE.verdicts
    }


def test_the_robot_program_has_the_registers_of_its_profile_and_the_codes_of_its_places() -> None:
    there = Profile.model_validate({"description": "x", "kinds": "holding", "holding_base": 200, "input_base": 220})
    text = urscript(laid(load_map("robot", INSPECTED), there))
    assert "  R_ORDER_NUMBER = 202\n" in text
    assert "  R_ORDER_DONE = 241\n" in text
    assert "  PLACES = 6\n" in text
    constants = re.findall(r"write_port_register\((2\d\d), (\d+)\)", text.partition("def tell_constants")[2])[:6]
    assert constants[-2:] == [("221", "42330"), ("220", "1")], "version and magic last"


def test_the_command_writes_a_folder_whose_pages_name_every_file(tmp_path: Path) -> None:
    folder = tmp_path / "there" / "integration"
    result = CliRunner().invoke(app, ["integration", "export", str(folder)])
    assert result.exit_code == 0, (result.output, result.exception)
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    linked = set()
    for page in folder.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert "{{" not in text, page
        for link in re.findall(r"\]\(([^)#]+)\)", text):
            assert (page.parent / link).exists(), (page, link)
            linked.add(str((page.parent / link).resolve().relative_to(folder.resolve())))
    assert files - linked == {"README.md"}
    assert (folder / "plc" / "variables.gx_works.csv").read_bytes()[:2] == b"\xff\xfe"


def test_a_folder_that_is_not_empty_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    with pytest.raises(ConfigError, match="is not empty; nothing was overwritten"):
        write(documents(load_settings(bundled("simulate.toml")), NOW), tmp_path)  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="folder: Not a directory") as caught:
        write([], tmp_path / "file" / "folder")
    assert caught.value.code == "config.file_failed"


def traced(folder: Path, *rows: tuple[float, str, str, int]) -> Path:
    path = folder / "trace.jsonl"
    lines = [
        json.dumps({"s": s, "device": device, "register": name, "value": value}) for s, device, name, value in rows
    ]
    path.write_text("\n".join(lines))
    return path


THROUGH = (
    (1.0, "plc", "part_sequence", 7), (2.0, "plc", "accepted_part", 7), (2.1, "robot", "order_number", 9),
    (2.2, "robot", "order_acknowledged", 9), (3.0, "robot", "order_done", 9), (4.0, "plc", "decision", 1),
    (5.0, "plc", "confirmed_bin", 1), (5.1, "plc", "result_acknowledged", 4),
)  # fmt: skip


def test_the_drawing_shows_a_part_from_its_acceptance_to_its_place(tmp_path: Path) -> None:
    found = drawings(read_trace(traced(tmp_path, *THROUGH)), "it")
    assert set(found) == {"part.svg", "order.svg"}
    root = ET.fromstring(found["part.svg"])  # noqa: S314  # it was drawn just now
    texts = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"part_sequence (PLC)", "accepted_part (station)", "order_done (robot)"} <= set(texts)
    assert texts[texts.index("order_done (robot)") : texts.index("order_done (robot)") + 3] == [
        "order_done (robot)", "0", "9",
    ]  # fmt: skip


@pytest.mark.parametrize("rows", [(), THROUGH[:-1], THROUGH[:2], THROUGH[2:]])
def test_a_trace_in_which_no_part_went_through_is_refused(tmp_path: Path, rows: tuple[Any, ...]) -> None:
    with pytest.raises(ConfigError, match="no part went through"):
        drawings(read_trace(traced(tmp_path, *rows)), "it")


def test_a_file_that_is_no_trace_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").write_text('{"a": 1}\n')
    for name, wrong in (("other", "it is no trace"), ("none", "No such file")):
        with pytest.raises(ConfigError, match=wrong):
            read_trace(tmp_path / name)


async def test_the_simulated_cell_writes_down_what_changes(tmp_path: Path) -> None:
    class Device:
        value = 1

        def now(self) -> dict[str, int]:
            return {"x": self.value, "y": 5}

    device, path = Device(), tmp_path / "trace"
    writing = asyncio.create_task(trace(path, {"plc": device}))
    async with asyncio.timeout(20):
        for value, lines in ((2, 2), (3, 3)):
            while not path.exists() or len(path.read_text().splitlines()) < lines:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
            device.value = value
        while len(path.read_text().splitlines()) < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    assert [(row.register, row.value) for row in read_trace(path)] == [("x", 1), ("y", 5), ("x", 2), ("x", 3)]
    with pytest.raises(ConfigError, match="No such file"):
        await trace(tmp_path / "none" / "trace", {})


async def test_what_the_robot_writes_down_is_how_it_stands_whether_anybody_has_asked_it_or_not() -> None:
    clock = SystemClock()
    cell = Cell(Spindle(clock.monotonic_ns), Camera(), Ledger(clock, []))
    robot = RobotDevice(
        load_map("robot", INSPECTED), cell, RobotTimes(0, 0), pace=MaxPace(), clock=clock, spawn=asyncio.ensure_future
    )
    assert (robot.now()["in_safe_zone"], robot.now()["holding"]) == (True, False)
    cell.feed(Part("SMH-0001", 1, None, np.zeros((1, 1), np.uint8)))
    cell.move_arm(ArmPosition.WORKSPACE)
    cell.pick(Place.INFEED)
    assert (robot.now()["in_safe_zone"], robot.now()["holding"]) == (False, True)


def test_every_shipped_configuration_can_be_exported() -> None:
    for name in ("simulate.toml", "station.toml"):
        found = documents(load_settings(bundled(name)), NOW)  # type: ignore[arg-type]
        assert len({document.path for document in found}) == len(found) > 10
