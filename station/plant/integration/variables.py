"""Lists of variables with their addresses, one register each, as programming systems take them in.

Each system puts register 0 at the beginning of a range of its memory that the Modbus server is told to serve: `%MW0` in
CODESYS and TwinCAT, `%MW0` in TIA Portal (whose words count bytes: register n is `%MW` of 2 n), `D0` in GX Works.
"""

import csv
import io

from drivers.modbus.register_map import Register, RegisterMap


def codesys_variables(registers: RegisterMap) -> str:
    """A list of global variables; those of 32 bits as words, for the order of words is the controller's own."""
    rows = [
        f"  {_name(register)} AT %MW{register.address} : {_array(register, 'WORD')}; // {_comment(register)}"
        for register in registers
    ]
    return "\n".join(["{attribute 'qualified_only'}", "VAR_GLOBAL", *rows, "END_VAR", ""])


def tia_tags(registers: RegisterMap) -> str:
    """A table of PLC tags (.sdf): name, address, type, three settings, comment; a text is one tag a word."""
    return _quoted(
        [
            [name, f"%M{size}{2 * address}", kind, "True", "True", "False", comment, "", "True"]
            for register in registers
            for name, address, kind, size, comment in _tags(register)
        ],
        ",",
    )


def gx_works_labels(registers: RegisterMap) -> str:
    """A list of global labels, tab-separated; it is written in UTF-16, low byte first."""
    head = ["Class", "Label Name", "Data Type", "Constant", "Device", "Address", "Comment"]
    rows = [
        ["VAR_GLOBAL", name, _GX[kind], "", f"D{address}", "", comment]
        for register in registers
        for name, address, kind, _, comment in _tags(register)
    ]
    return _quoted([["inspection_station"], head, *rows], "\t")


_GX = {
    "Word": "Word[Unsigned]/Bit String[16-bit]",
    "DWord": "Double Word[Unsigned]/Bit String[32-bit]",
    "DInt": "Double Word[Signed]",
    "Real": "FLOAT (Single Precision)",
}
_TIA = {"u32": "DWord", "i32": "DInt", "f32": "Real"}


def _tags(register: Register) -> list[tuple[str, int, str, str, str]]:
    """Name, address, type as in TIA Portal, W or D for its size, and comment, of each variable of a register."""
    comment = _comment(register)
    if register.type in _TIA:
        return [(_name(register), register.address, _TIA[register.type], "D", comment)]
    if register.words == 1:
        return [(_name(register), register.address, "Word", "W", comment)]
    return [
        (f"{_name(register)}_{word}", register.address + word, "Word", "W", comment) for word in range(register.words)
    ]


def _array(register: Register, kind: str) -> str:
    return kind if register.words == 1 else f"ARRAY[0..{register.words - 1}] OF {kind}"


def _name(register: Register) -> str:
    return f"station_{register.name}"


def _comment(register: Register) -> str:
    """The first sentence of what it means, on one line, with who writes it."""
    first = register.meaning.partition(". ")[0].rstrip(".")
    return f"{first}; the {'station' if register.access == 'write' else 'PLC'} writes it"


def _quoted(rows: list[list[str]], delimiter: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
