"""No fault without a test of the whole cell: the table is compared with what the tests declare to cover.

A fault is covered where a named fault of the simulated cell shows it (`test_every_fault.py`), where a cell on fakes is
brought to it (`test_faults_at_the_plc.py`), where a station cannot start for it (`test_refused_starts.py`), or by the
test that `ELSEWHERE` names.
"""

import ast
from pathlib import Path

import pytest

from sim.faults import NAMED_FAULTS
from station.core.errors import FAULTS, Reaction
from tests.cell.provoked_faults import ABORTED, HELD, HELD_WITH_REVIEW, NOT_READY, RESCANNED, REVIEWED
from tests.cell.reason_codes import REASON_CODE
from tests.cell.test_refused_starts import ROWS as REFUSED_STARTS

HERE = Path(__file__).parent
PLC, REFUSALS, RECORDS = "test_faults_at_the_plc.py", "test_refusals.py", "test_simulation.py"
CONTROL, DISK, GOLDEN, DRIFT = "test_control.py", "test_disk.py", "test_golden_parts.py", "test_drift.py"
WEARING = "test_lamp_focus_and_dirt_are_alarms_while_they_last_and_the_cell_goes_on"
HAND = "test_hand.py"
BAD_SCANS = "test_bad_scans_are_named_and_left_out_and_the_recording_goes_on"

ELSEWHERE: dict[str, tuple[str, str]] = {
    "part.unknown_type": (PLC, "test_an_unknown_type_suspends_the_cell"),
    "part.bad_id": (PLC, "test_an_id_of_other_than_printable_characters_suspends_the_cell"),
    "part.interrupted": (
        PLC, "test_an_interrupted_part_goes_to_review_though_it_was_judged_good_and_the_plc_reads_why",
    ),
    "part.golden": (GOLDEN, "test_no_part_goes_before_the_golden_ones_and_those_never_pass"),
    "part.challenge_due": (GOLDEN, "test_no_part_goes_before_the_golden_ones_and_those_never_pass"),
    "part.golden_refused": (GOLDEN, "test_a_golden_part_under_another_type_is_not_taken"),
    "part.challenge_failed": (GOLDEN, "test_a_golden_part_that_is_judged_wrongly_holds_the_cell_until_all_are_right"),
    "part.study": (GOLDEN, "test_a_study_turns_each_part_as_often_as_it_asks_for_and_lets_none_pass"),
    "part.review_cheaper": (GOLDEN, "test_a_review_that_is_cheaper_is_asked_for_until_its_budget_is_spent"),
    "plc.starved": (PLC, "test_a_cell_without_parts_is_suspended"),
    "plc.two_masters": (PLC, "test_two_masters_suspend_the_cell_and_the_record_names_who_commanded"),
    "plc.illegal_command": (PLC, "test_a_command_of_the_plc_that_the_state_does_not_accept_is_refused_with_its_code"),
    "station.illegal_command": (
        PLC, "test_a_command_of_an_operator_that_the_state_does_not_accept_is_refused_and_the_plc_sees_no_change",
    ),
    "station.no_such_alarm": (PLC, "test_an_acknowledgement_of_no_alarm_is_refused"),
    "station.stopped_by_operator": (PLC, "test_an_operators_stop_is_the_reason_that_the_plc_reads"),
    "recording.not_found": (REFUSALS, "test_a_wrong_command_line"),
    "recording.bad_line": (RECORDS, BAD_SCANS),
    "recording.bad_image": (RECORDS, BAD_SCANS),
    "recording.duplicate_part": (RECORDS, BAD_SCANS),
    "recording.path_outside": (RECORDS, BAD_SCANS),
    "record.unknown": (REFUSALS, "test_a_wrong_command_line"),
    "config.unreadable": (REFUSALS, "test_a_missing_configuration"),
    "config.invalid": (REFUSALS, "test_an_unknown_key"),
    "config.bad_map": (REFUSALS, "test_a_register_map_that_cannot_be_used"),
    "config.simulator_failed": (REFUSALS, "test_a_port_in_use"),
    "config.simulator_gone": (
        "test_simulator_dies.py", "test_a_simulator_that_is_killed_ends_the_run_with_its_reason",
    ),
    "config.not_compiled": (
        "../unit/test_pixel_passes.py", "test_a_missing_library_is_told_at_the_start_with_the_command_that_builds_it",
    ),
    "plc.port_not_permitted": (
        "test_refused_starts.py", "test_a_user_who_may_not_listen_on_port_502_is_told_so_and_not_of_another_program",
    ),
    "model.wrong_geometry": (
        "test_other_products_refused.py", "test_a_network_of_another_geometry_is_refused_before_anything_moves",
    ),
    "model.screener_unproven": (
        "test_screened_parts.py", "test_a_pair_of_which_too_little_is_proven_never_starts_and_its_network_alone_does",
    ),
    "record.disk_low": (DISK, "test_a_disk_that_fills_is_an_alarm_before_it_is_full_and_the_cell_goes_on"),
    "record.journal_grows": (DISK, "test_a_journal_that_grows_is_an_alarm_that_names_the_reader"),
    "config.file_failed": (REFUSALS, "test_what_may_not_be_read_or_written_is_named_and_no_command_ends_in_a_stack"),
    "config.bad_option": (REFUSALS, "test_a_wrong_command_line"),
    "control.no_station": (REFUSALS, "test_a_wrong_command_line"),
    "control.no_answer": (CONTROL, "test_a_station_that_does_not_answer_is_told_from_none"),
    "control.stranger": (CONTROL, "test_another_users_program_is_told_nothing_and_believed_nothing"),
    "control.not_permitted": (CONTROL, "test_another_user_may_neither_ask_nor_command"),
    "control.no_socket": (CONTROL, "test_a_socket_that_cannot_be_made_is_no_station"),
    "control.other_version": ("test_watch.py", "test_a_station_of_another_version_is_not_misread"),
    "control.too_many_watch": ("test_watch.py", "test_one_too_many_is_told_so_and_has_the_place_of_one_who_leaves"),
    "hand.needed": (HAND, "test_without_the_hand_a_person_stops_and_aborts_and_nothing_else"),
    "hand.taken": (HAND, "test_of_two_people_one_has_it"),
    "hand.gone": (HAND, "test_what_was_on_its_way_when_it_was_taken_back_is_not_carried_out"),
    "hand.refused": (HAND, "test_it_is_taken_with_a_reason_and_for_a_time"),
    "quality.promise_suspended": (DRIFT, "test_lamp_focus_and_dirt_are_alarms_while_they_last_and_the_cell_goes_on"),
    "quality.drift": (DRIFT, "test_parts_that_change_suspend_the_promise_and_more_of_them_go_to_people"),
    "camera.lamp_faded": (DRIFT, WEARING), "camera.out_of_focus": (DRIFT, WEARING), "camera.dirt": (DRIFT, WEARING),
    "config.port_in_use": ("test_refused_starts.py", "test_a_simulated_cell_whose_port_is_taken_says_so"),
}  # fmt: skip

OFF_THE_CELL = {"backup", "doctor", "page", "plant", "sparkplug", "opcua"}
"""Families of commands, and of processes beside the station, that nothing of runs in a cell; training and data sets
have a table of their own."""

OFF_THE_CELL_TOO = {
    "model.not_promoted", "model.bad_history", "model.not_passed", "model.unknown", "model.exists",
    "model.export_failed", "model.untrusted", "model.bad_channel", "model.not_shadowed",
    "recording.exists", "recording.not_written", "recording.no_labels",
}  # fmt: skip
"""Faults of the commands that release networks and write recordings."""


def provoked() -> set[str]:
    tables = (RESCANNED, REVIEWED, HELD_WITH_REVIEW, HELD, NOT_READY, ABORTED)
    return {row.code for table in tables for row in table}


def named() -> set[str]:
    return {fault.code for fault in NAMED_FAULTS.values() if fault.code is not None}


def of_the_cell() -> set[str]:
    return {code for code in FAULTS if code.split(".")[0] not in OFF_THE_CELL and code not in OFF_THE_CELL_TOO}


def test_every_fault_of_the_cell_has_a_test_of_the_whole_cell() -> None:
    covered = named() | provoked() | {row.code for row in REFUSED_STARTS} | set(ELSEWHERE)
    assert of_the_cell() - covered == set()
    assert covered - of_the_cell() == set(), "a test of a fault that is not in the table"


def test_every_fault_that_a_part_can_meet_is_met_by_a_running_cell() -> None:
    met = named() | provoked() | {code for code, (file, _test) in ELSEWHERE.items() if file in {PLC, GOLDEN}}
    reactions = {code for code in of_the_cell() if FAULTS[code].reaction not in {Reaction.REFUSE, Reaction.WARN}}
    assert reactions - met == set()


def test_every_reason_code_is_the_one_of_the_document() -> None:
    assert {code: FAULTS[code].number for code in of_the_cell()} == {code: REASON_CODE[code] for code in of_the_cell()}
    assert set(REASON_CODE) == of_the_cell()


@pytest.mark.parametrize("code", ELSEWHERE)
def test_the_test_that_is_named_for_a_fault_is_there_and_speaks_of_it(code: str) -> None:
    file, name = ELSEWHERE[code]
    source = (HERE / file).read_text(encoding="utf-8")
    functions = {
        node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    test = functions[name]
    first = min([test.lineno, *(decorator.lineno for decorator in test.decorator_list)])
    assert code in "\n".join(source.splitlines()[first - 1 : test.end_lineno])
