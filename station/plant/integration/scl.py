"""The function block as SCL source for TIA Portal, with its data type and the data block that MB_SERVER serves.

What differs from Structured Text: variables of a block carry `#`, data types are blocks of their own in quotation
marks, the on-delay is called TON_TIME, and what a Modbus server serves lies in a data block that is not optimised.
"""

import re
from collections.abc import Iterable
from itertools import pairwise

from drivers.modbus.register_map import RegisterMap
from station.plant.integration.block import NAME, RESULT, Block, Half, Variable
from station.plant.integration.structured_text import SECTIONS

REGISTERS = "InspectionRegisters"
_TYPES = {"TON": "TON_TIME", RESULT: f'"{RESULT}"'}
_WORDS = {"BOOL": "Bool", "WORD": "Word", "INT": "Int", "UINT": "UInt", "UDINT": "UDInt", "TIME": "Time"}


def scl(block: Block, registers: RegisterMap) -> str:
    """Data type, data block and function block, to be taken in as an external source."""
    head = f"FUNCTION_BLOCK \"{NAME}\"\n{{ S7_Optimized_Access := 'TRUE' }}\nVERSION : 0.1"
    parts = [
        f'TYPE "{RESULT}"\nVERSION : 0.1\n  STRUCT\n{_declared(block.fields, "    ")}\n  END_STRUCT;\nEND_TYPE',
        _data_block(block, registers),
        f"{head}\n{_sections(block)}\nBEGIN\n{statements(block)}\nEND_FUNCTION_BLOCK",
    ]
    return "\r\n".join("\n\n".join(parts).splitlines()) + "\r\n"


def statements(block: Block) -> str:
    """The block's text, its variables with `#`."""
    names = "|".join(sorted((variable.name for variable in block.variables), key=len, reverse=True))
    lines = []
    for line in block.text.strip().splitlines():
        code, mark, comment = line.partition("//")
        lines.append(re.sub(rf"(?<![.\w#])({names})\b", r"#\1", code) + mark + comment)
    return "\n".join(lines)


def _sections(block: Block) -> str:
    return "\n".join(
        f"  {keyword}\n{_declared(rows, '    ')}\n  END_VAR"
        for section, keyword in SECTIONS.items()
        if (rows := block.section(section))
    )


def _declared(rows: Iterable[Variable], indent: str) -> str:
    return "\n".join(
        f"{indent}{row.name} : {_type(row.type)}{f' := {row.initial}' if row.initial else ''};   // {row.comment}"
        for row in rows
    )


def _type(kind: str) -> str:
    if kind.startswith("ARRAY"):
        bounds, _, element = kind.removeprefix("ARRAY").partition(" OF ")
        return f"Array{bounds} of {_type(element)}"
    return _TYPES.get(kind) or _WORDS.get(kind, kind)


def _data_block(block: Block, registers: RegisterMap) -> str:
    """All registers from 0 on, as words in their order, so that register n is the n-th word of the data block."""
    defects = registers.select("write", "defects")
    halves = [("fromStation", block.station), ("toStation", block.plc)]
    if defects:
        halves.append(("defects", Half(defects[0].address, defects[-1].end - defects[0].address)))
    halves.sort(key=lambda one: one[1].first)
    rows, end = [], 0
    for number, (name, half) in enumerate(halves):
        if half.first > end:
            rows.append(
                f"    unused{number} : Array[0..{half.first - end - 1}] of Word;   // {end} to {half.first - 1}"
            )
        rows.append(f"    {name} : Array[0..{half.count - 1}] of Word;   // {half.first} to {half.last}")
        end = half.last + 1
    assert all(one[1].last < other[1].first for one, other in pairwise(halves))  # noqa: S101  # the map was checked
    listed = "\n".join(rows)
    return (
        f"DATA_BLOCK \"{REGISTERS}\"\n{{ S7_Optimized_Access := 'FALSE' }}\nVERSION : 0.1\nNON_RETAIN\n"
        f"  STRUCT\n{listed}\n  END_STRUCT;\nBEGIN\nEND_DATA_BLOCK"
    )
