"""The names that a compiled object defines for others, and those that it wants from them: its ELF symbol table.

64 bits, little-endian, as compilers for x86-64 and ARM64 write. Source: System V ABI, chapter 4, object files.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"\x7fELF\x02\x01"
_SECTION = struct.Struct("<IIQQQQIIQQ")  # name, type, flags, address, offset, size, link, info, alignment, entry size
_SYMBOL = struct.Struct("<IBBHQQ")  # name, info, other, section, value, size
_SYMBOL_TABLE, _LOCAL, _UNDEFINED = 2, 0, 0


@dataclass(frozen=True, slots=True)
class Names:
    """What an object offers and what it needs: functions and variables alike."""

    defined: frozenset[str]
    wanted: frozenset[str]


def names_in(path: Path) -> Names:
    """The names that the linker sees in an object file; those of static functions are not among them.

    Raises:
        ValueError: It is no ELF file of 64 bits, little-endian.
    """
    image = path.read_bytes()
    if not image.startswith(_MAGIC):
        raise ValueError(f"{path} is no little-endian ELF file of 64 bits")
    symbols = list(_symbols(image))
    defined = frozenset(name for name, section in symbols if section != _UNDEFINED)
    return Names(defined, frozenset(name for name, section in symbols if section == _UNDEFINED))


def _symbols(image: bytes) -> Iterator[tuple[str, int]]:
    """Names that are not local, with the section that holds them."""
    sections = _sections(image)
    for _, kind, _, _, offset, size, link, *_ in sections:
        if kind != _SYMBOL_TABLE:
            continue
        texts = sections[link][4]
        for name, info, _, section, _, _ in _SYMBOL.iter_unpack(image[offset : offset + size]):
            if info >> 4 != _LOCAL:
                yield _text(image, texts + name), section


def _sections(image: bytes) -> list[tuple[int, ...]]:
    (table,) = struct.unpack_from("<Q", image, 0x28)
    size, count = struct.unpack_from("<HH", image, 0x3A)
    return [_SECTION.unpack_from(image, table + size * number) for number in range(count)]


def _text(image: bytes, offset: int) -> str:
    return image[offset : image.index(b"\0", offset)].decode()
