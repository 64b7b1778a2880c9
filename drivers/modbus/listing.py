"""A register map for people and for import into a PLC: as table, Markdown, CSV, or as command lines of mbpoll.

`address_0` counts from 0, as on the wire; `address_1` from 1, as many manuals and mbpoll do. `access` is the station's:
what it may read, the other side writes.
"""

import csv
import io
import shlex
from collections.abc import Sequence
from typing import Literal

from drivers.modbus.profile import DEFAULT, Profile
from drivers.modbus.register_map import Register, RegisterMap
from drivers.modbus.words import Ascii
from station.core.settings import RtuLink, TcpLink, expand

ListingFormat = Literal["table", "md", "csv", "mbpoll"]
COLUMNS = ("name", "address_0", "address_1", "kind", "type", "scale", "unit", "access", "meaning")
COUNTED = "address_device"
"""A column more, where the device's documents count registers from a number of their own."""

_MBPOLL_PARITY = {"N": "none", "E": "even", "O": "odd"}
_MBPOLL_TABLE = {"input": "3", "holding": "4"}
_MBPOLL_FORMAT = {"f32": ":float", "u32": ":int", "i32": ":int"}


def list_registers(register_map: RegisterMap, listing_format: ListingFormat, link: TcpLink | RtuLink) -> str:
    """All registers of a map, ending with a newline; `link` is where the mbpoll lines point to."""
    rows = [_columns(register_map), *(_row(register, register_map.profile) for register in register_map)]
    if listing_format == "mbpoll":
        return "".join(f"{_mbpoll(register, link)}\n" for register in register_map)
    if listing_format == "csv":
        return _csv(rows)
    if listing_format == "md":
        return f"{_title(register_map)}\n\n{_markdown(rows)}\n"
    return f"{_title(register_map)}\n{_aligned(rows)}\n"


def _title(register_map: RegisterMap) -> str:
    """What the map is, and whose view `access` is; the CSV has no place for it."""
    named = f"map {register_map.name}, version {register_map.version}"
    laid = "" if register_map.profile == DEFAULT else f", laid for {register_map.profile.description}"
    return f"{register_map.description} ({named}{laid}; the {register_map.peer} writes what the station may read)"


def _columns(register_map: RegisterMap) -> tuple[str, ...]:
    return (*COLUMNS[:3], COUNTED, *COLUMNS[3:]) if _counts_itself(register_map.profile) else COLUMNS


def _counts_itself(profile: Profile) -> bool:
    return bool(profile.holding_from or profile.input_from)


def _row(register: Register, profile: Profile) -> tuple[str, ...]:
    scale = "" if register.scale is None else f"{register.scale:g}"
    counted = (str(profile.documented(register)),) if _counts_itself(profile) else ()
    place = (str(register.address), str(register.address + 1), *counted, register.kind)
    return (register.name, *place, register.type, scale, register.unit, register.access, _meaning(register))


def _meaning(register: Register) -> str:
    parts = [register.meaning]
    if register.codes:
        parts.append(", ".join(f"{code} = {name}" for code, name in register.codes.items()) + ".")
    if register.constant is not None and str(register.constant) not in register.meaning:
        parts.append(f"Always {register.constant}.")
    return " ".join(parts)


def _csv(rows: Sequence[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(rows)
    return text.getvalue()


def _markdown(rows: Sequence[tuple[str, ...]]) -> str:
    lines = [rows[0], ("---",) * len(rows[0]), *rows[1:]]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(line[column]) for line in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in rows
    )


def _mbpoll(register: Register, link: TcpLink | RtuLink) -> str:
    shape = "" if register.words == 1 else _MBPOLL_FORMAT.get(register.type, ":hex")
    count = register.words if isinstance(register.word_type, Ascii) else 1
    words = ["mbpoll", "-1", "-m", link.kind, "-a", str(link.unit), "-r", str(register.address + 1)]
    words += ["-t", _MBPOLL_TABLE[register.kind] + shape, "-c", str(count)]
    words += ["-B"] if register.type in _MBPOLL_FORMAT and register.word_order == "high_first" else []
    if isinstance(link, TcpLink):
        words += ["-p", str(link.port), link.host]
    else:
        words += ["-b", str(link.baud_rate), "-P", _MBPOLL_PARITY[link.parity], "-s", str(link.stop_bits)]
        words.append(expand(link.device))
    return f"{shlex.join(words)}  # {register.name}"
