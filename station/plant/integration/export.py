"""Everything for the other side of the wire, written into a folder: programs, lists of variables, texts, pages.

What stands where is told by the folder's own README. Nothing of it is kept in the project: it is made from the register
maps as the configuration lays them, and must be made anew when these change.
"""

from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from drivers.modbus.listing import list_registers
from drivers.modbus.register_map import Access, RegisterMap, map_of
from station.core.errors import ConfigError
from station.core.settings import Settings
from station.plant.integration.block import block_of
from station.plant.integration.plcopen import plcopen_xml
from station.plant.integration.scl import scl
from station.plant.integration.structured_text import structured_text
from station.plant.integration.texts import text_list
from station.plant.integration.timing import drawings, read_trace
from station.plant.integration.urscript import urscript
from station.plant.integration.variables import codesys_variables, gx_works_labels, tia_tags

UR = "universal_robots"
LEGEND = (
    "Of each register: who writes it, and what stands in it. Grey is 0. The simulated PLC, which is drawn here, "
    "announces the next part with the next number, at once; a program that shows 0 in between is as right."
)


@dataclass(frozen=True, slots=True)
class Document:
    """One file of the folder.

    Attributes:
        path: In the folder.
        content: What is written.
    """

    path: str
    content: bytes


def documents(settings: Settings, made_at: datetime, trace: Path | None = None) -> list[Document]:
    """All files, for the maps of the configuration.

    Args:
        settings: Names maps, profiles, classes and places.
        made_at: The date that PLCopen XML asks for.
        trace: What the simulated cell has written down of its registers, for the drawings; None: without them.

    Raises:
        ConfigError: A map cannot be used, or not be laid; the trace cannot be used.
    """
    inspected = settings.inspected
    plc = map_of("plc", inspected, settings.plc.link)
    robot = map_of("robot", inspected, settings.robot.link)
    link = settings.robot.link
    on_ur = map_of("robot", inspected, link if link.profile != "default" else link.model_copy(update={"profile": UR}))
    block = block_of(plc, inspected)
    texts = {
        "plc/FB_InspectionStation.st": structured_text(block),
        "plc/FB_InspectionStation.scl": scl(block, plc),
        "plc/FB_InspectionStation.plcopen.xml": plcopen_xml(block, made_at),
        "plc/variables.codesys.st": codesys_variables(plc),
        "plc/variables.tia.sdf": tia_tags(plc),
        "plc/registers.md": list_registers(plc, "md", settings.plc.link),
        "plc/registers.csv": list_registers(plc, "csv", settings.plc.link),
        "robot/inspection_robot.script": urscript(on_ur),
        "robot/registers.md": list_registers(robot, "md", link),
        "robot/registers.universal_robots.md": list_registers(on_ur, "md", link),
        **_pages(plc, on_ur),
        **_drawings(trace),
    }
    found = [Document(path, text.encode("utf-8")) for path, text in texts.items()]
    found.append(Document("plc/variables.gx_works.csv", gx_works_labels(plc).encode("utf-16")))
    found.append(Document("plc/texts.csv", text_list(settings.table).encode("utf-8-sig")))
    return sorted(found, key=lambda one: one.path)


def write(found: list[Document], folder: Path) -> None:
    """Write all files into a folder that is new or empty.

    Raises:
        ConfigError: There is something in it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            told = f"{folder} is not empty; nothing was overwritten, give a new folder"
            raise ConfigError("config.bad_option", told)
        for document in found:
            path = folder / document.path
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(document.content)
    except OSError as error:
        raise ConfigError("config.file_failed", f"{error.filename}: {error.strerror}") from error


def _drawings(trace: Path | None) -> dict[str, str]:
    """The drawings of the timing, and the page that shows them."""
    found = {} if trace is None else drawings(read_trace(trace), str(trace))
    listed = "\n\n".join(f"![{name}]({name})" for name in found) or (
        "There are none here: they are drawn from what the simulated cell writes down. "
        "`python -m sim --config FILE --parts 2 --trace trace.jsonl`, beside it `station run --config FILE` and "
        "`station command reset`, `start`; then `station integration export DIR --trace trace.jsonl`."
    )
    page = f"# Timing\n\n{LEGEND}\n\n{listed}\n"
    return {f"timing/{name}": text for name, text in found.items()} | {"timing/timing.md": page}


def _pages(plc: RegisterMap, robot: RegisterMap) -> dict[str, str]:
    """The pages, with the addresses of these maps in the place of names in double braces."""
    words = _addresses("plc", plc) | _addresses("robot", robot)
    words |= {"plc.profile": plc.profile.description, "robot.profile": robot.profile.description}
    folder = files("station.plant.integration") / "pages"
    pages = {}
    for page in folder.iterdir():
        text = page.read_text(encoding="utf-8")
        for name, word in words.items():
            text = text.replace(f"{{{{{name}}}}}", word)
        pages[page.name.replace("__", "/").replace(".txt", ".md")] = text
    return pages


def _addresses(name: str, registers: RegisterMap) -> dict[str, str]:
    words = {f"{name}.{row.name}": str(row.address) for row in registers}
    sides: tuple[tuple[str, Access], ...] = (("station", "write"), ("device", "read"))
    for side, access in sides:
        rows = registers.select(access)
        words[f"{name}.{side}.first"] = str(rows[0].address)
        words[f"{name}.{side}.last"] = str(rows[-1].end - 1)
        words[f"{name}.{side}.count"] = str(rows[-1].end - rows[0].address)
    return words
