"""How a map is printed: the columns that integrators import, and lines that can be pasted into a shell."""

import csv
import io
import shlex

import pytest

from drivers.modbus.listing import ListingFormat, list_registers
from drivers.modbus.register_map import MAP_NAMES, load_map
from station.core.settings import RtuLink, TcpLink
from tests.housings import INSPECTED

TCP = TcpLink(kind="tcp", host="192.168.0.20", port=1502)
RTU = RtuLink(kind="rtu", device="/dev/ttyUSB0", baud_rate=19200, parity="E", stop_bits=1, unit=3)


def test_the_csv_has_exactly_the_agreed_header_and_one_row_a_register() -> None:
    text = list_registers(load_map("plc", INSPECTED), "csv", TCP)
    header = "name,address_0,address_1,kind,type,scale,unit,access,meaning"
    assert text.splitlines()[0] == header
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(text))}
    assert len(rows) == len(load_map("plc", INSPECTED).registers)
    assert rows["decision"] == {
        "name": "decision",
        "address_0": "41",
        "address_1": "42",
        "kind": "holding",
        "type": "u16",
        "scale": "",
        "unit": "",
        "access": "write",
        "meaning": "Result: the decision; 0 means no decision. 0 = none, 1 = defect_free, 2 = imprinted, 3 = pits, "
        "4 = roll_marks, 5 = scratches, 6 = review.",
    }
    assert rows["decision_complement"]["address_0"] == "42"
    assert (rows["confidence"]["scale"], rows["confidence"]["unit"]) == ("0.0001", "1")
    assert rows["map_version"]["meaning"] == "Version of this map. Always 1."


@pytest.mark.parametrize(
    ("name", "register", "line"),
    [
        ("plc", "decision", "mbpoll -1 -m tcp -a 1 -r 42 -t 4 -c 1 -p 1502 192.168.0.20"),
        ("plc", "inspection_number", "mbpoll -1 -m tcp -a 1 -r 31 -t 4:int -c 1 -B -p 1502 192.168.0.20"),
        ("plc", "check_f32", "mbpoll -1 -m tcp -a 1 -r 3 -t 4:float -c 1 -B -p 1502 192.168.0.20"),
        ("plc", "part_id", "mbpoll -1 -m tcp -a 1 -r 33 -t 4:hex -c 8 -p 1502 192.168.0.20"),
        ("robot", "in_safe_zone", "mbpoll -1 -m tcp -a 1 -r 13 -t 3 -c 1 -p 1502 192.168.0.20"),
    ],
)
def test_an_mbpoll_line_reads_one_register_of_the_device(name: str, register: str, line: str) -> None:
    assert f"{line}  # {register}" in list_registers(load_map(name, INSPECTED), "mbpoll", TCP).splitlines()


def test_an_mbpoll_line_of_a_serial_device_has_its_line_settings() -> None:
    lines = list_registers(load_map("jig", INSPECTED), "mbpoll", RTU).splitlines()
    line = "mbpoll -1 -m rtu -a 3 -r 16 -t 3 -c 1 -b 19200 -P even -s 1 /dev/ttyUSB0  # speed"
    assert line in lines
    assert all(shlex.split(line, comments=True)[0] == "mbpoll" for line in lines)


@pytest.mark.parametrize("name", MAP_NAMES)
@pytest.mark.parametrize("form", ["table", "md"])
def test_table_and_markdown_name_every_register_once(name: str, form: ListingFormat) -> None:
    registers = load_map(name, INSPECTED)
    text = list_registers(registers, form, TCP)
    assert text.endswith("\n")
    assert text.startswith(registers.description)
    cells = [line.strip("| ").split()[0] for line in text.splitlines()[1:] if line]
    assert [cell for cell in cells if cell not in ("name", "---")] == [row.name for row in registers]
