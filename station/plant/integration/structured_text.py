"""The function block in Structured Text of IEC 61131-3, as CODESYS, TwinCAT and their kin read it."""

from collections.abc import Iterable

from station.plant.integration.block import NAME, RESULT, Block, Section, Variable

SECTIONS: dict[Section, str] = {
    "input": "VAR_INPUT",
    "output": "VAR_OUTPUT",
    "in_out": "VAR_IN_OUT",
    "constant": "VAR CONSTANT",
    "retain": "VAR RETAIN",
    "variable": "VAR",
}


def structured_text(block: Block) -> str:
    """The structure of a result, and the function block."""
    parts = [
        f"// For map version {block.version} of the inspection station; the map's own version must be the same.",
        f"TYPE {RESULT} :\nSTRUCT\n{_declared(block.fields)}\nEND_STRUCT;\nEND_TYPE",
        f"FUNCTION_BLOCK {NAME}\n{declarations(block)}\n\n{block.text.strip()}\nEND_FUNCTION_BLOCK",
    ]
    return "\n\n".join(parts) + "\n"


def declarations(block: Block) -> str:
    """All variables of the block, section by section."""
    return "\n".join(
        f"{keyword}\n{_declared(rows)}\nEND_VAR"
        for section, keyword in SECTIONS.items()
        if (rows := block.section(section))
    )


def _declared(rows: Iterable[Variable]) -> str:
    return "\n".join(
        f"  {row.name} : {row.type}{f' := {row.initial}' if row.initial else ''}; // {row.comment}" for row in rows
    )
