"""The one codec of all register maps: values by name on one side, addresses and 16-bit words on the other.

A map is a TOML file of `config/registers`, or one of the user's own with the same registers at other addresses; it is
checked as a whole when it is read, and laid on the device as a profile says. Addresses are 0-based, as on the wire;
input and holding registers are two address spaces.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources.abc import Traversable
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from config import bundled
from drivers.modbus.filling import filled
from drivers.modbus.profile import DEFAULT, Profile, load_profile, overlaps
from drivers.modbus.register import Access, IllegalWordsError, Kind, Register
from drivers.modbus.words import Value
from station.core.errors import BugError, ConfigError
from station.core.settings import RtuLink, TcpLink, expand
from station.core.verdicts import Inspected

__all__ = [
    "MAP_NAMES",
    "Access",
    "IllegalWordsError",
    "Kind",
    "Register",
    "RegisterMap",
    "Run",
    "Value",
    "load_map",
    "map_of",
    "map_version",
    "read_map",
]

MAP_NAMES = ("robot", "jig", "plc")


@dataclass(frozen=True, slots=True)
class Run:
    """Words for neighbouring addresses, which one request can carry."""

    kind: Kind
    address: int
    words: list[int]


@dataclass(frozen=True, slots=True)
class RegisterMap:
    """All registers of one device, in the order of kind and address.

    Attributes:
        name: `robot`, `jig` or `plc`.
        version: Of the map; the peer's `map_version` must be the same.
        peer: The device, for people.
        description: What the device does in the cell.
        registers: All registers.
        profile: How they lie on the device.
    """

    name: str
    version: int
    peer: str
    description: str
    registers: tuple[Register, ...]
    profile: Profile = DEFAULT
    _by_name: Mapping[str, Register] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {register.name: register for register in self.registers})

    def __getitem__(self, name: str) -> Register:
        """The register with this name.

        Raises:
            BugError: There is none.
        """
        if name not in self._by_name:
            raise BugError("station.bug", f"the register map {self.name} has no register {name!r}")
        return self._by_name[name]

    def __iter__(self) -> Iterator[Register]:
        return iter(self.registers)

    def select(self, access: Access, section: str = "") -> tuple[Register, ...]:
        """All registers of a section that the station may read, or write; they are of one kind."""
        return tuple(register for register in self if (register.access, register.section) == (access, section))

    @property
    def constants(self) -> tuple[Register, ...]:
        """The registers that have a constant."""
        return tuple(register for register in self if register.constant is not None)

    def extent(self, kind: Kind) -> tuple[int, int]:
        """First address and number of words of all registers of a kind; (0, 0) without any."""
        registers = [register for register in self if register.kind == kind]
        return _reach(registers) if registers else (0, 0)

    def span(self, names: Iterable[str]) -> tuple[int, int]:
        """First address and number of words that hold all these registers, with the gaps between them."""
        return _reach([self[name] for name in names])

    def image(self, kind: Kind, access: Access) -> list[int]:
        """The words of `extent` when one side was just switched on: that side's constants in place, 0 elsewhere."""
        first, count = self.extent(kind)
        words = [0] * count
        for register in self.select(access):
            if register.kind == kind and register.constant is not None:
                words[register.address - first : register.end - first] = register.encode(register.constant)
        return words

    def touched(self, kind: Kind, address: int, count: int) -> tuple[Register, ...]:
        """The registers of a kind that lie, at least with one word, in this range."""
        return tuple(r for r in self if r.kind == kind and r.address < address + count and r.end > address)

    def decode_block(self, kind: Kind, address: int, words: Sequence[int]) -> dict[str, Value]:
        """The values of all registers that lie wholly in these words, by name.

        Raises:
            IllegalWordsError: Some words are no value of their register.
        """
        end = address + len(words)
        inside = [r for r in self.touched(kind, address, len(words)) if r.address >= address and r.end <= end]
        return {r.name: r.decode(words[r.address - address : r.end - address]) for r in inside}

    def encode_block(self, values: Mapping[str, Value]) -> list[Run]:
        """The words of these values as runs of neighbouring registers, in the order of kind and address.

        Raises:
            BugError: An unknown name, or a value that does not fit its register.
        """
        runs: list[Run] = []
        for register in sorted((self[name] for name in values), key=_place):
            words = register.encode(values[register.name])
            if runs and (runs[-1].kind, runs[-1].address + len(runs[-1].words)) == _place(register):
                runs[-1].words.extend(words)
            else:
                runs.append(Run(register.kind, register.address, words))
        return runs


def load_map(name: str, inspected: Inspected, profile: Profile = DEFAULT) -> RegisterMap:
    """The shipped map `robot`, `jig` or `plc`, as a profile lays it.

    Args:
        name: Of the map.
        inspected: The verdicts and places whose codes stand in it.
        profile: How it lies on the device.

    Raises:
        ConfigError: There is no such map, or it cannot be used, or cannot be laid so.
    """
    return laid(_read(_shipped(name), f"registers/{name}.toml", inspected), profile)


def map_of(name: str, inspected: Inspected, link: TcpLink | RtuLink) -> RegisterMap:
    """The map of a device as its link is configured: the shipped one or one of the user's own, and its profile.

    Args:
        name: `robot`, `jig` or `plc`.
        inspected: As for `load_map`.
        link: Names profile and file.

    Raises:
        ConfigError: Map or profile cannot be read or used, the map has other registers than the shipped one, or the
            device has no room for it.
    """
    shipped = load_map(name, inspected)
    if link.map_file:
        own = read_map(Path(expand(link.map_file)), inspected)
        require_same_registers(own, shipped, link.map_file)
        shipped = own
    return laid(shipped, load_profile(link.profile), f"{name}.link.profile = {link.profile}")


def laid(registers: RegisterMap, profile: Profile, what: str = "profile") -> RegisterMap:
    """A map as a profile lays it.

    Args:
        registers: The map as it stands.
        profile: How it is to lie.
        what: Which profile that is, for the error.

    Raises:
        ConfigError: The device has no such addresses, two registers would lie on one, the halves of station and device
            would reach into each other, or the profile is not one for this map.
    """
    if registers.name not in profile.maps:
        told = f"it is for the maps {', '.join(profile.maps)}, not for {registers.name}"
        raise ConfigError("config.bad_map", f"{what}: {told}")
    try:
        rows = sorted(map(profile.lay, registers), key=_place)
    except ValueError as error:
        raise ConfigError("config.bad_map", f"{what}: {error}") from error
    for first, second in overlaps(rows):
        told = f"{first.name} and {second.name} would both lie on {second.kind} {second.address}"
        raise ConfigError("config.bad_map", f"{what}: {told}; give holding_base and input_base more room")
    moved = replace(registers, registers=tuple(rows), profile=profile)
    _require_whole_halves(moved, what)
    return moved


def require_same_registers(own: RegisterMap, shipped: RegisterMap, source: str) -> None:
    """See to it that a map of the user's own differs from the shipped one in nothing but where its registers lie.

    Raises:
        ConfigError: It has other registers, another order of them, or has put apart what travels together.
    """
    problem = _difference(own, shipped)
    if problem:
        raise ConfigError("config.bad_map", f"{source}: {problem}; copy the shipped map and change addresses alone")


def _difference(own: RegisterMap, shipped: RegisterMap) -> str:
    if (own.name, own.version) != (shipped.name, shipped.version):
        return f"it is the map {own.name}, version {own.version}, not {shipped.name}, version {shipped.version}"
    names, known = {row.name for row in own}, {row.name for row in shipped}
    if names != known:
        lacking, strange = sorted(known - names), sorted(names - known)
        return "; ".join(
            f"{told} {', '.join(rows)}" for told, rows in (("it lacks", lacking), ("nobody knows", strange)) if rows
        )
    told_apart = ("kind", "type", "access", "scale", "unit", "values", "constant", "section")
    for row in shipped:
        if others := [key for key in told_apart if getattr(row, key) != getattr(own[row.name], key)]:
            return f"{row.name} has another {others[0]} than in the shipped map"
    for before, after in pairwise(shipped):
        if (before.kind, before.access, before.section) != (after.kind, after.access, after.section):
            continue
        first, second = own[before.name], own[after.name]
        if before.end == after.address and first.end != second.address:
            return f"{after.name} must come directly after {before.name}, for they travel together"
        if second.address < first.address:
            return f"{after.name} must come after {before.name}, for what is written last says that the rest is there"
    return ""


def _require_whole_halves(registers: RegisterMap, what: str) -> None:
    halves = {(row.access, row.section) for row in registers}
    reaches = sorted((rows[0].kind, *_reach(rows)) for rows in (registers.select(*half) for half in halves))
    for (kind, first, count), (other_kind, other, _) in pairwise(reaches):
        if kind == other_kind and other < first + count:
            told = f"{kind} {first} to {first + count - 1} are one side's, and the other's begin at {other}"
            raise ConfigError("config.bad_map", f"{what}: {told}; each half must lie apart")


def map_version(name: str) -> int:
    """The version of a shipped map.

    Raises:
        ConfigError: As for `load_map`.
    """
    return int(_document(_shipped(name), name)["map"]["version"])


def read_map(path: Path, inspected: Inspected) -> RegisterMap:
    """The map in a file.

    Args:
        path: The file.
        inspected: As for `load_map`.

    Raises:
        ConfigError: The file cannot be read, or the map cannot be used.
    """
    return _read(path, str(path), inspected)


def _shipped(name: str) -> Traversable:
    if name not in MAP_NAMES:
        raise ConfigError("config.bad_map", f"there is no map {name!r}; the maps are {', '.join(MAP_NAMES)}")
    return bundled(f"registers/{name}.toml")


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1)]
    version: Annotated[int, Field(ge=1, le=65535)]
    peer: Annotated[str, Field(min_length=1)]
    description: Annotated[str, Field(min_length=1)]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    map: _Header
    register_: Annotated[list[Register], Field(alias="register", min_length=1)]

    @model_validator(mode="after")
    def _registers_fit_each_other(self) -> Self:
        names = [register.name for register in self.register_]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the name {twice[0]} appears twice")
        for first, second in overlaps(self.register_):
            raise ValueError(f"{first.name} and {second.name} overlap at {second.kind} address {second.address}")
        for register in self.register_:
            if register.name == "map_version" and register.constant != self.map.version:
                raise ValueError(f"map_version has the constant {register.constant}, map.version is {self.map.version}")
        return self


def _document(file: Traversable, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError("config.bad_map", f"{source}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("config.bad_map", f"{source}: {error}") from error


def _read(file: Traversable, source: str, inspected: Inspected) -> RegisterMap:
    document = filled(_document(file, source), inspected)
    try:
        checked = _File.model_validate(document)
    except ValidationError as error:
        problems = "; ".join(_explain(problem, document) for problem in error.errors())
        raise ConfigError("config.bad_map", f"{source}: {problems}") from error
    header = checked.map
    registers = tuple(sorted(checked.register_, key=_place))
    return RegisterMap(header.name, header.version, header.peer, header.description, registers)


def _explain(problem: ErrorDetails, document: dict[str, object]) -> str:
    where = [str(part) for part in problem["loc"]]
    rows = document.get("register")
    if where[:1] == ["register"] and len(where) > 1 and isinstance(rows, list):
        row = rows[int(where[1])]
        name = row.get("name") if isinstance(row, dict) else None
        where[:2] = [f"register {name or 'number ' + str(int(where[1]) + 1)}"]
    text = str(problem["ctx"]["error"]) if problem["type"] == "value_error" else problem["msg"]
    return ": ".join(filter(None, [".".join(where), text]))


def _place(register: Register) -> tuple[Kind, int]:
    return register.kind, register.address


def _reach(registers: Sequence[Register]) -> tuple[int, int]:
    if len({register.kind for register in registers}) != 1:
        raise BugError("station.bug", "a span needs registers of one kind")
    first = min(register.address for register in registers)
    return first, max(register.end for register in registers) - first
