"""The function block for the line PLC: what it declares, and its text, for whichever dialect writes it down.

The text (`program/block.st`) is Structured Text of IEC 61131-3 that CODESYS, TwinCAT and TIA Portal share. Every place
in the registers is a named constant, made from the map, so that a map that lies elsewhere gives a block that fits it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from drivers.modbus.register_map import Access, RegisterMap
from station.core.verdicts import Inspected

NAME, RESULT = "FB_InspectionStation", "InspectionResult"
ID_WORDS = 8

Section = Literal["input", "output", "in_out", "constant", "retain", "variable"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One declaration.

    Attributes:
        section: Where it is declared.
        name: In every dialect.
        type: BOOL, WORD, INT, UINT, UDINT, TIME, TON, the name of a structure, or ARRAY[0..n] OF one of them.
        comment: For people.
        initial: Its first value as IEC 61131-3 writes it; empty for that of the type.
    """

    section: Section
    name: str
    type: str
    comment: str
    initial: str = ""


@dataclass(frozen=True, slots=True)
class Half:
    """The registers that one side writes, as one array of words.

    Attributes:
        first: Address of the first.
        count: Words up to the end of the last.
    """

    first: int
    count: int

    @property
    def last(self) -> int:
        """Address of the last."""
        return self.first + self.count - 1


@dataclass(frozen=True, slots=True)
class Block:
    """The function block for one map.

    Attributes:
        station: What the station writes.
        plc: What the PLC writes.
        fields: Of the structure with a result.
        variables: All declarations, in the order of their sections.
        text: The statements.
        version: Of the map.
    """

    station: Half
    plc: Half
    fields: tuple[Variable, ...]
    variables: tuple[Variable, ...]
    text: str
    version: int

    def section(self, name: Section) -> list[Variable]:
        """The declarations of one section."""
        return [variable for variable in self.variables if variable.section == name]


def block_of(registers: RegisterMap, inspected: Inspected) -> Block:
    """The function block for a PLC with this map.

    Args:
        registers: The map of the line PLC, as it is laid.
        inspected: Which decision passes a part.
    """
    station, plc = _half(registers, "write"), _half(registers, "read")
    text = files("station.plant.integration.program").joinpath("block.st").read_text(encoding="utf-8")
    arrays = (
        Variable(
            "in_out", "fromStation", f"ARRAY[0..{station.count - 1}] OF WORD", _place("the station writes", station)
        ),
        Variable("in_out", "toStation", f"ARRAY[0..{plc.count - 1}] OF WORD", _place("this block writes", plc)),
    )
    constants = [*_constants(registers, inspected, plc), *_places(registers, station, plc, text)]
    return Block(
        station, plc, RESULT_FIELDS, (*INPUTS, *OUTPUTS, *arrays, *constants, *MEMORY), text, registers.version
    )


def _half(registers: RegisterMap, access: Access) -> Half:
    return Half(*registers.span(row.name for row in registers.select(access)))


def _place(who: str, half: Half) -> str:
    return f"what {who}: registers {half.first} to {half.last}"


def _constants(registers: RegisterMap, inspected: Inspected, plc: Half) -> list[Variable]:
    passing = next(verdict.code for verdict in inspected.table.verdicts if verdict.passes)
    inspection = registers["inspection_number"]
    first = inspection.address - _half(registers, "write").first
    high, low = (first, first + 1) if inspection.word_order == "high_first" else (first + 1, first)
    return [
        _constant("MAP_VERSION", "WORD", f"16#{registers.version:04X}", "of the register map"),
        _constant("MAGIC", "WORD", f"16#{int(registers['magic'].constant or 0):04X}", "the right device and offset"),
        _constant("GOOD", "UINT", str(passing), "the decision that passes a part"),
        _constant("PLC_LAST", "INT", str(plc.count - 1), "last word of toStation"),
        _constant("ID_LAST", "INT", str(ID_WORDS - 1), "last word of an id"),
        _constant("TRIES", "UINT", "3", "times a command is given when nobody answers"),
        _constant("STEP_WAIT", "INT", "0", "the station was not heard yet"),
        _constant("STEP_SHOW_NONE", "INT", "1", "it was; now it has to see that no part is announced"),
        _constant("STEP_RUN", "INT", "2", "the line runs"),
        _constant("STALE_AFTER", "TIME", "T#2s", "without a beat for so long nothing is believed"),
        _constant("SHOW_NONE_FOR", "TIME", "T#300ms", "how long no part is shown at the beginning"),
        _constant("LOST_AFTER", "TIME", "T#2s", "a command without an answer for so long is given again"),
        _constant("S_INSPECTION_HIGH", "INT", str(high), "inspection_number, high word"),
        _constant("S_INSPECTION_LOW", "INT", str(low), "inspection_number, low word"),
    ]


def _constant(name: str, kind: str, value: str, comment: str) -> Variable:
    return Variable("constant", name, kind, comment, value)


def _places(registers: RegisterMap, station: Half, plc: Half, text: str) -> list[Variable]:
    """Where each register that the text names lies in its half."""
    found = []
    for prefix, half, access in (("S", station, "write"), ("P", plc, "read")):
        for row in registers:
            name = f"{prefix}_{row.name.upper()}"
            if row.access == access and re.search(rf"\b{name}\b", text):
                found.append(_constant(name, "INT", str(row.address - half.first), f"register {row.address}"))
    return found


def _of(section: Section, *rows: Sequence[str]) -> tuple[Variable, ...]:
    return tuple(Variable(section, *row) for row in rows)


RESULT_FIELDS = _of(
    "variable",
    ("inspection", "UDINT", "the station's running number of the inspection"),
    ("partId", f"ARRAY[0..{ID_WORDS - 1}] OF WORD", "id as announced, two characters a word, filled with zero bytes"),
    ("partType", "UINT", "number of its type"),
    ("decision", "UINT", "code of the decision, see the text list"),
    ("destination", "UINT", "code of the place that it is ordered to"),
    ("confirmedPlace", "UINT", "code of the place where the robot has laid it; 0 while it is on its way"),
    ("confidence", "UINT", "in ten thousandths"),
    ("defectPatches", "UINT", "patches that show a defect"),
    ("decidingPatch", "UINT", "the patch that decided, from 1; 0 for none"),
    ("reason", "UINT", "fault number why it goes to review; 0 for none"),
    ("msAfterLastLine", "UINT", "from the last line to the decision; 65535 when unknown or longer"),
)

INPUTS = _of(
    "input",
    ("stationServes", "BOOL", "TRUE: the station has the registers and this PLC asks; FALSE: this PLC has them"),
    ("connected", "BOOL", "the connection is open; TRUE where this PLC has the registers"),
    ("heard", "BOOL", "fromStation is fresh in this call; TRUE where this PLC has the registers"),
    ("written", "BOOL", "toStation of the call before has reached the station; TRUE where this PLC has the registers"),
    ("acknowledgedKnown", "BOOL", "acknowledgedBefore was read; only where the station has the registers"),
    ("acknowledgedBefore", "WORD", "result_acknowledged as it stood in the station before the first write"),
    ("permit", "BOOL", "the cell may take on parts"),
    ("placesFull", "WORD", "bit n-1: the place with code n can take no more parts"),
    ("partWaits", "BOOL", "the sensor at the infeed sees a part; FALSE once the robot has taken it"),
    ("partId", f"ARRAY[0..{ID_WORDS - 1}] OF WORD", "its id, two characters a word, filled with zero bytes or blanks"),
    ("partType", "UINT", "number of its type"),
    ("command", "UINT", "PackML CntrlCmd: 1 reset, 2 start, 3 stop, 4 hold, 5 unhold, 6 suspend, 7 unsuspend, 8 abort"),
    ("giveCommand", "BOOL", "gives it when it becomes TRUE"),
    ("alarmToAcknowledge", "UINT", "fault number; 0 for the one in alarmCode"),
    ("giveAlarm", "BOOL", "acknowledges it when it becomes TRUE; nothing moves by that"),
)

OUTPUTS = _of(
    "output",
    ("mayWrite", "BOOL", "toStation may be written to the station"),
    ("alive", "BOOL", "the station is heard, has this map, and its heart beats"),
    ("ready", "BOOL", "and both sides know each other's numbers: parts and commands go through"),
    ("mapFits", "BOOL", "the station has this version of the map at these addresses"),
    ("state", "UINT", "PackML StateCurrent; 0 while the station is not believed"),
    ("stopReason", "UINT", "fault number why the cell left Execute; 0 while it runs"),
    ("partAccepted", "BOOL", "the part at the infeed is the station's; hold it until the robot has taken it"),
    ("newDecision", "BOOL", "for one call: result is new, and the part is on its way"),
    ("newPlace", "BOOL", "for one call: result is new, and the part lies at confirmedPlace"),
    ("good", "BOOL", "result is that of a good part, and believed"),
    ("resultDoubtful", "BOOL", "a result stands there whose complement does not fit; it is not acknowledged"),
    ("result", RESULT, "the result read last"),
    ("commandBusy", "BOOL", "a command waits for its answer"),
    ("commandAnswered", "BOOL", "for one call: it was answered, or nobody did"),
    ("commandTaken", "BOOL", "it was taken; wait for state"),
    ("commandReason", "UINT", "fault number why it was refused; 0 and not taken: nobody answered"),
    ("alarmCount", "UINT", "active alarms"),
    ("alarmUnacknowledged", "UINT", "alarms that nobody has acknowledged"),
    ("alarmCode", "UINT", "fault number of the newest of these"),
    ("alarmBusy", "BOOL", "an acknowledgement waits for its answer"),
    ("alarmAnswered", "BOOL", "for one call: it was answered, or nobody did"),
    ("alarmTaken", "BOOL", "there was such an alarm, and it is acknowledged"),
)

MEMORY = (
    *_of(
        "retain",
        ("lastInspection", "UDINT", "of the result read last, so that none counts twice after a restart"),
        ("lastPlace", "UINT", "its confirmed place"),
    ),
    *_of(
        "variable",
        ("begun", "BOOL", "this program has begun"),
        ("step", "INT", "STEP_WAIT, STEP_SHOW_NONE or STEP_RUN"),
        ("beat", "UINT", "of this program"),
        ("lastBeat", "WORD", "of the station"),
        ("beatKnown", "BOOL", "lastBeat was read"),
        ("beatMoved", "BOOL", "it has moved, and not stood too long since"),
        ("changed", "BOOL", "it has moved in this call"),
        ("staleTimer", "TON", "how long it has stood"),
        ("wasConnected", "BOOL", "connected in the call before"),
        ("settling", "BOOL", "a new connection has not had its first write"),
        ("noneShown", "TON", "how long no part was shown"),
        ("noneWritten", "BOOL", "the station has been told that there is none"),
        ("announced", "BOOL", "a part is announced"),
        ("samePart", "BOOL", "it is the one that lies there now"),
        ("partNumber", "UINT", "of the announcement"),
        ("number", "WORD", "of the result that stands there"),
        ("decision", "UINT", "in that result"),
        ("again", "BOOL", "that result was read before"),
        ("gaveCommand", "BOOL", "giveCommand in the call before"),
        ("commandGiven", "UINT", "the command that waits for its answer"),
        ("commandNumber", "UINT", "its number"),
        ("commandDue", "BOOL", "it is to be written"),
        ("commandTry", "UINT", "how often it was"),
        ("commandTimer", "TON", "how long it has waited"),
        ("gaveAlarm", "BOOL", "giveAlarm in the call before"),
        ("alarmGiven", "UINT", "the alarm whose acknowledgement waits"),
        ("alarmNumber", "UINT", "its number"),
        ("alarmDue", "BOOL", "it is to be written"),
        ("alarmTry", "UINT", "how often it was"),
        ("alarmTimer", "TON", "how long it has waited"),
        ("i", "INT", "counts words"),
    ),
)
