"""How a register map lies on one kind of device: where, in which words, and how much of it one request may carry.

A profile is a TOML file of `config/registers/profiles`, or one of the user's own. The map says what the registers mean,
the profile where they are: a map that a device cannot hold as it stands is laid to where it can.
"""

import tomllib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from config import bundled
from drivers.modbus.register import Kind, Register
from drivers.modbus.words import WordOrder
from station.core.errors import ConfigError
from station.core.settings import expand

PROFILE_NAMES = ("default", "universal_robots", "siemens_s7")

Address = Annotated[int, Field(ge=0, le=65535)]


class Profile(BaseModel):
    """How a map lies on a device.

    Attributes:
        description: Of which devices, for people.
        holding_base: Added to the address of every holding register.
        input_base: Added to the address of every input register.
        kinds: `as_mapped`, or `holding`: input registers are laid into holding registers.
        first: First address that the device has.
        last: Last address that it has.
        word_order: Of 32-bit values.
        read_most: Registers that it gives in one request.
        write_most: Registers that it takes in one request.
        gaps: `read`: what lies between registers may be asked for with them; `never`: it is not.
        holding_from: What the device's documents call holding register 0.
        input_from: The same of input register 0.
        maps: Names of the maps that are laid so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    description: Annotated[str, Field(min_length=1)]
    holding_base: Address = 0
    input_base: Address = 0
    kinds: Literal["as_mapped", "holding"] = "as_mapped"
    first: Address = 0
    last: Address = 65535
    word_order: WordOrder = "high_first"
    read_most: Annotated[int, Field(ge=16, le=125)] = 125
    write_most: Annotated[int, Field(ge=3, le=123)] = 123
    gaps: Literal["read", "never"] = "read"
    holding_from: Annotated[int, Field(ge=0, le=400001)] = 0
    input_from: Annotated[int, Field(ge=0, le=400001)] = 0
    maps: Annotated[list[Literal["robot", "jig", "plc"]], Field(min_length=1)] = ["robot", "jig", "plc"]

    @model_validator(mode="after")
    def _has_registers(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"last = {self.last} comes before first = {self.first}")
        return self

    def lay(self, register: Register) -> Register:
        """The register where this device has it.

        Raises:
            ValueError: The device has no such address.
        """
        base = self.holding_base if register.kind == "holding" else self.input_base
        address, kind = register.address + base, self.kind(register)
        if address < self.first or address + register.words - 1 > self.last:
            words = f"{kind} {address} to {address + register.words - 1}" if register.words > 1 else f"{kind} {address}"
            raise ValueError(f"{register.name} would be {words}, but the device has {self.first} to {self.last}")
        laid = {"kind": kind, "address": address, "word_order": self.word_order}
        return Register.model_validate(register.model_dump() | laid)

    def kind(self, register: Register) -> Kind:
        """What the register is on this device."""
        return "holding" if self.kinds == "holding" else register.kind

    def documented(self, register: Register) -> int:
        """What the device's documents call a register that was laid."""
        return register.address + (self.holding_from if register.kind == "holding" else self.input_from)

    def requests(self, ordered: Sequence[Register], *, gaps: bool) -> list[tuple[int, int]]:
        """First address, and the address after the last, of the requests that read these registers in their order.

        Args:
            ordered: Registers of one kind, by address.
            gaps: Whether what lies between them may be read with them.
        """
        found: list[tuple[int, int]] = []
        for begin, end in _runs(ordered):
            if found and gaps and end - found[-1][0] <= self.read_most:
                found[-1] = found[-1][0], end
            else:
                found += [(piece, min(piece + self.read_most, end)) for piece in range(begin, end, self.read_most)]
        return found


DEFAULT = Profile(description="The registers as the maps have them")


def load_profile(name: str) -> Profile:
    """The shipped profile of this name, or the one in the file of this path.

    Raises:
        ConfigError: There is none, or it cannot be used.
    """
    shipped = name in PROFILE_NAMES
    source = f"registers/profiles/{name}.toml" if shipped else expand(name)
    try:
        file = bundled(source) if shipped else Path(source)
        text = file.read_text(encoding="utf-8")
        return Profile.model_validate(_table(tomllib.loads(text)))
    except OSError as error:
        known = ", ".join(PROFILE_NAMES)
        raise ConfigError(
            "config.bad_map", f"the profile {source}: {error.strerror}; it is a file, or one of {known}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("config.bad_map", f"{source}: {error}") from error
    except ValidationError as error:
        told = "; ".join(": ".join(filter(None, (".".join(map(str, p["loc"])), p["msg"]))) for p in error.errors())
        raise ConfigError("config.bad_map", f"{source}: {told}") from error
    except ValueError as error:
        raise ConfigError("config.bad_map", f"{source}: {error}") from error


def _table(document: dict[str, object]) -> object:
    if set(document) != {"profile"}:
        raise ValueError(f"it has {', '.join(sorted(document)) or 'nothing'}; a profile is one table, [profile]")
    return document["profile"]


def overlaps(registers: Iterable[Register]) -> list[tuple[Register, Register]]:
    """Pairs of registers of one kind that lie on the same address."""
    ordered = sorted(registers, key=lambda row: (row.kind, row.address))
    return [(one, next_) for one, next_ in pairwise(ordered) if one.kind == next_.kind and next_.address < one.end]


def _runs(ordered: Sequence[Register]) -> list[tuple[int, int]]:
    """First address of each run of neighbours, and the address after it."""
    begins = [ordered[0].address] + [after.address for before, after in pairwise(ordered) if after.address > before.end]
    ends = [before.end for before, after in pairwise(ordered) if after.address > before.end] + [ordered[-1].end]
    return list(zip(begins, ends, strict=True))
