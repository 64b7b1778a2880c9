"""What can be drawn: every fault of the table, and every trouble that was met in the field, or why it cannot."""

from pathlib import Path

import pytest

from sim.faults import NAMED_FAULTS
from sim.wear import WEARS
from station.core.drift.limits import FIRST_PARTS, LAST_PARTS
from station.core.errors import FAULTS, Reaction
from tests.year.history import play
from tests.year.misfortunes import IMPOSSIBLE, NAMES, Row, worn_for

SHOWN_BY: dict[str, str] = {
    **{fault.code: name for name, fault in NAMED_FAULTS.items() if fault.code and name not in IMPOSSIBLE},
    "camera.not_found": "camera-away-for-long",
    "camera.feature_refused": "camera-feature-refused",
    "camera.timeout": "camera-no-pulse",
    "camera.process_died": "camera-process-dies",
    "camera.bad_image": "camera-other-format",
    "camera.not_back": "camera-away-for-long",
    "scan.out_of_order": "camera-number-again",
    "scan.late": "compute-slow",
    "scan.failing": "camera-loses-every-block",
    "part.interrupted": "kill",
    "part.spot_check": "always",
    "part.low_confidence": "always",
    "part.study": "person-studies",
    "jig.refused": "jig-refuses",
    "jig.wrong_map": "jig-other-map",
    "robot.refused": "robot-refuses",
    "robot.wrong_map": "robot-other-map",
    "plc.wrong_map": "plc-other-map",
    "plc.illegal_command": "plc-illegal-command",
    "plc.starved": "plc-restarted",
    "model.bad_scores": "engine-answers-nonsense",
    "model.engine_failed": "engine-fails",
    "record.disk_failed": "database-moved",
    "record.locked": "database-locked",
    "record.disk_low": "disk-low",
    "station.bug": "station-has-a-bug",
    "station.illegal_command": "person-clear",
    "station.stopped_by_operator": "person-stop",
    "station.no_such_alarm": "plc-acknowledges",
}
"""The misfortune that brings the cell to each fault; `always`: some part has it without any."""

NOT_DRAWN = {
    "scan.judged_in_part": "a block whose scores are missing has an error of its own, which is told first",
    "scan.wrong_light": "the network here knows classes by their brightness, so that no light is made up for",
    "part.unknown": "the network here does not tell what it was trained on",
    "part.not_promised": "nothing is promised of the network here",
    "part.looks_differ": "the same surface gives the same scores twice",
    "part.review_cheaper": "no prices are configured here",
    "part.unexpected": "it takes a database that is lost for good, whose parts nobody could compare any more",
    "part.golden": "golden parts are not fed here",
    "part.challenge_due": "golden parts are not fed here",
    "part.golden_refused": "golden parts are not fed here",
    "part.challenge_failed": "golden parts are not fed here",
    "quality.drift": "the network here does not tell what it was trained on",
    "quality.promise_suspended": "nothing is promised of the network here",
    "plc.two_masters": "of the station's server, which has sockets of the system",
    "record.database_damaged": "what is damaged is lost: no record could be held against the truth",
    "record.journal_grows": "it takes 64 MB of a journal",
    "station.value_out_of_range": "only a bug brings it about",
}
"""Faults that no history can come to, each with its reason. One that refuses a command, or a start, moves nothing, and
is not asked for."""

MET_IN_THE_FIELD = {
    "a part that does not turn": "part-stands-still",
    "a part that turns half, or twice": "part-turns-twice",
    "a part that slips in the chuck": "part-slips",
    "lines that are missing in a block": "image-lines-black",
    "a part that is announced in the place of another": "any-moment plc-part-renamed",
    "a permission that is withdrawn at the last moment": "plc-permission-lost",
    "a camera whose process ends between two parts": "camera-process-dies",
    "a database that is taken away while the cell runs": "database-moved",
    "an old copy of the database that is laid over it": "database-replaced",
    "a data folder that is moved away": "data-folder-moved",
    "a log of the database that is thrown away": "database-log-removed",
    "another program that locks the database": "database-locked",
    "a disk that fills": "disk-full",
    "a disk that is slow": "disk-slow",
    "a clock that is set forward by a day": "clock-forward",
    "an observer that fails": "observer-raises",
    "a line PLC whose program begins anew while its server answers": "any-moment plc-program-restarts",
    "a result that is cleared before it is acknowledged": "plc-restarts-before-acknowledging",
    "registers that are cleared again and again": "plc-keeps-clearing",
    "an answer that comes under another number": "robot-answers-under-another-number",
    "a request that comes twice": "robot-hears-twice",
    "answers in pieces": "robot-net-split",
    "an id that is filled with blanks": "plc-id-blank",
    "a robot that takes an order and does not say so": "robot-answer-lost",
    "a loss of power in the middle of a write": "power-in-write",
}
"""Troubles that were met with real equipment, and what stands for each."""


def test_every_fault_of_the_table_can_be_drawn_or_it_is_said_why_not() -> None:
    asked_for = {code for code, fault in FAULTS.items() if fault.reaction is not Reaction.REFUSE}
    assert asked_for - set(SHOWN_BY) - set(NOT_DRAWN) == set()
    assert set(SHOWN_BY) & set(NOT_DRAWN) == set()
    assert (set(SHOWN_BY) | set(NOT_DRAWN)) - set(FAULTS) == set()


def test_whatever_shows_a_fault_is_drawn() -> None:
    assert set(SHOWN_BY.values()) - set(NAMES) == {"always"}
    assert set(MET_IN_THE_FIELD.values()) - set(NAMES) == set()


def test_every_named_fault_of_the_simulated_cell_is_drawn_or_it_is_said_why_not() -> None:
    assert set(NAMED_FAULTS) - set(NAMES) == set(IMPOSSIBLE)


SEED, PARTS = 43, 8
RIGHT_AFTER = {"kill": "station PartDecided Y-000003"}
"""What has just happened to the third part where a misfortune comes that shows its fault at no other moment: a part
counts as interrupted from its decision to the order that it be laid away; before that it is scanned anew."""
SOON_S = 1e-4
"""Less than any request takes."""


def alone(name: str, folder: Path) -> tuple[int, list[Row]]:
    """The parts of a history in which this shows its fault, and its row."""
    if name in WEARS:  # only then it is known how it was at first
        row = Row(name, FIRST_PARTS + 1, 0.4, 20, 1.2)
        return row.part + worn_for(row) + LAST_PARTS, [row]
    after_s, steps = 0.4, 20
    if name in RIGHT_AFTER:
        after_s, steps = when(RIGHT_AFTER[name], folder) - when("cell fed Y-000003", folder) + SOON_S, 0
    return PARTS, [Row(name, 3, round(after_s, 6), steps, 1.2)]


def when(happening: str, folder: Path) -> float:
    """The time at which it comes to this where nothing befalls the cell; until it does, all is as it is then."""
    lines = (line.split(" ", 1) for line in play(SEED, PARTS, [], folder=folder).lines)
    return next(float(at_s) for at_s, what in lines if what.startswith(happening))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_misfortune_comes_alone_and_shows_its_fault(tmp_path: Path, name: str) -> None:
    told = play(SEED, *alone(name, tmp_path), folder=tmp_path)
    assert told.violations == []
    assert name.removeprefix("any-moment ") in {one.removeprefix("any-moment ") for one in told.befell}
    named = NAMED_FAULTS.get(name)
    own = {named.code} if named is not None and named.code is not None else set()
    shown = own | {code for code, by in SHOWN_BY.items() if by == name}
    assert shown - told.codes == set()
