"""The generated chapters of the pages: register maps and faults, from the tables that the station itself uses.

`make pages` writes them anew; a test fails when they have aged.
"""

import re
import sys
from pathlib import Path

from drivers.modbus.listing import list_registers
from drivers.modbus.register_map import load_map
from models.errors import EVERY_FAULT
from station.core.errors import REACTIONS
from station.core.settings import TcpLink
from station.core.table import default_geometry, housings
from station.core.verdicts import Inspected


def faults_chapter() -> str:
    """Every fault with number, code, text and reaction, as Markdown."""
    legend = ["| reaction | what the station does | latched | how it is cleared |", "|---|---|---|---|"]
    for name, conduct in REACTIONS.items():
        legend.append(f"| {name.value} | {conduct.does} | {'yes' if conduct.latched else 'no'} | {conduct.cleared} |")
    rows = ["| number | code | what an operator reads | reaction |", "|---|---|---|---|"]
    rows += [f"| {f.number} | `{f.code}` | {f.text} | {f.reaction.value} |" for f in EVERY_FAULT.values()]
    return "The number is the reason code on the PLC.\n\n" + "\n".join([*legend, "", *rows])


def registers_chapter(*names: str) -> str:
    """Register maps with the classes and places of housings, as Markdown."""
    anywhere = TcpLink(kind="tcp")
    shipped = Inspected(housings(), default_geometry().value().patches_per_part)
    chapters = [list_registers(load_map(name, shipped), "md", anywhere).strip().split("\n", 1) for name in names]
    return "\n\n".join(f"### {title}\n\n{table.strip()}" for title, table in chapters)


def with_generated_chapters(page: str) -> str:
    """A page's text with those of the generated chapters that it has as they should be."""
    chapters = {
        "device-registers": registers_chapter("robot", "jig"),
        "plc-registers": registers_chapter("plc"),
        "faults": faults_chapter(),
    }
    for mark, chapter in chapters.items():
        page = _with_chapter(page, mark, chapter)
    return page


def _with_chapter(page: str, mark: str, chapter: str) -> str:
    pattern = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    return pattern.sub(lambda match: f"{match[1]}\n{chapter}\n\n{match[2]}", page)


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(with_generated_chapters(path.read_text(encoding="utf-8")), encoding="utf-8")
