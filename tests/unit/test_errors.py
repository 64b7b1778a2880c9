"""The fault table: numbers and codes are unique, families fit, and every text tells an operator something to do."""

import ast
from pathlib import Path

import pytest

from models.errors import EVERY_FAULT, OFF_THE_LINE, ArchiveError, DatasetError, LabelError, TrainingError
from station.core.errors import FAULTS, CameraError, DeviceError, Fault, Reaction, StationError

ROOT = Path(__file__).parents[2]
FAMILIES = {
    1: {"camera"}, 2: {"scan", "part", "quality"}, 3: {"jig"}, 4: {"robot"}, 5: {"plc"},
    6: {"model", "training", "dataset", "label", "archive"},
    7: {"record", "recording", "backup", "opcua", "sparkplug", "plant"},
    8: {"config"}, 9: {"station", "control", "page", "hand", "doctor"},
}  # fmt: skip


def test_numbers_are_unique_and_fit_a_register() -> None:
    numbers = [fault.number for fault in EVERY_FAULT.values()]
    assert len(set(numbers)) == len(numbers)
    assert numbers == sorted(numbers)
    assert all(0 < number < 65536 for number in numbers)


@pytest.mark.parametrize("fault", EVERY_FAULT.values(), ids=lambda fault: fault.code)
def test_a_fault_has_the_number_of_its_family_and_a_sentence_for_people(fault: Fault) -> None:
    assert fault.code.split(".")[0] in FAMILIES[fault.number // 1000]
    assert fault.text.endswith(".")
    assert isinstance(fault.reaction, Reaction)


def test_an_error_reads_as_text_and_detail() -> None:
    error = CameraError("camera.lost", "cable 3")
    assert isinstance(error, DeviceError)
    assert error.code == "camera.lost"
    assert str(error) == f"{FAULTS['camera.lost'].text} (cable 3)"
    assert str(CameraError("camera.lost")) == FAULTS["camera.lost"].text


def test_an_unknown_code_cannot_be_raised() -> None:
    with pytest.raises(KeyError):
        StationError("camera.haunted")


def test_what_is_no_reason_code_of_a_plc_stands_in_no_table_of_the_station() -> None:
    families = {code.partition(".")[0] for code in OFF_THE_LINE}
    assert families == {"training", "dataset", "label", "archive"}
    assert not {code for code in FAULTS if code.partition(".")[0] in families}
    assert dict(EVERY_FAULT) == {**FAULTS, **OFF_THE_LINE}
    assert TrainingError("training.diverged").fault.number == 6106
    assert DatasetError("dataset.exists").fault.number == 6203
    assert LabelError("label.locked").fault.number == 6304
    assert ArchiveError("archive.in_use").fault.number == 6403
    for wrong in (StationError, DatasetError, LabelError, ArchiveError):
        with pytest.raises(KeyError):
            wrong("training.diverged")


def test_every_row_of_the_table_is_used() -> None:
    used = set()
    for folder in ("station", "drivers", "models", "sim"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name in {"errors.py", "fault_table.py"}:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    used |= {node.value} | {f"{device}{node.value}" for device in ("robot", "jig")}
    assert set(EVERY_FAULT) - used == set()
