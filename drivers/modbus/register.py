"""One register: a named value, its meaning, and how it becomes words and back."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from drivers.modbus.words import Integer, Value, WordOrder, WordType, word_type
from station.core.errors import BugError

Kind = Literal["input", "holding"]
Access = Literal["read", "write"]


class IllegalWordsError(ValueError):
    """A peer's words are no value of their register; whoever read them translates this into the device's error."""


class Register(BaseModel):
    """One named value of a map.

    Attributes:
        name: Unique in its map.
        kind: `input` (function 4) or `holding` (functions 3, 6, 16).
        address: Of its first word, 0-based.
        type: u16, i16, u32, i32, f32, bool, ascii[N].
        access: From the station's side: `read` (the peer writes it) or `write`.
        meaning: What it tells, for people.
        unit: Engineering unit, empty without one.
        scale: What one count is worth in `unit`; None for plain counts.
        values: Names of all codes that are allowed, by code as text; empty when every count is.
        constant: What both sides must find there, or None.
        section: Empty for what every peer has; the name of an addition that a peer may lack.
        word_order: Of a 32-bit value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    kind: Kind
    address: Annotated[int, Field(ge=0, le=65535)]
    type: str
    access: Access
    meaning: Annotated[str, Field(min_length=1)]
    unit: str = ""
    scale: Annotated[float, Field(gt=0)] | None = None
    values: dict[str, str] = {}
    constant: int | float | str | None = None
    section: str = ""
    word_order: WordOrder = "high_first"

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.address + self.words > 65536:
            raise ValueError(f"{self.words} registers from {self.address} go beyond 65535")
        if self.kind == "input" and self.access == "write":
            raise ValueError("an input register cannot be written")
        if (self.scale or self.values) and not isinstance(self.word_type, Integer):
            raise ValueError(f"scale and values need an integer type, not {self.type}")
        if self.scale and self.values:
            raise ValueError("scale and values exclude each other")
        self._check_values()
        if self.constant is not None:
            self._words_of(self.constant)
        return self

    def _check_values(self) -> None:
        if not all(code.isdecimal() for code in self.values):
            raise ValueError(f"values: codes are decimal numbers, not {', '.join(self.values)}")
        for code in self.codes:
            self.word_type.encode(code)
        if len(set(self.codes.values())) < len(self.values) or len(self.codes) < len(self.values):
            raise ValueError("values: a code or a name appears twice")

    @cached_property
    def word_type(self) -> WordType:
        """How the value lies in words."""
        return word_type(self.type, self.word_order)

    @cached_property
    def codes(self) -> Mapping[int, str]:
        """Names of the allowed codes; empty when every count is allowed."""
        return {int(code): name for code, name in self.values.items()}

    @cached_property
    def words(self) -> int:
        """Registers that the value takes."""
        return self.word_type.words

    @cached_property
    def end(self) -> int:
        """The address after its last word."""
        return self.address + self.words

    def code(self, label: str) -> int:
        """The code with this name in `values`.

        Raises:
            BugError: There is no such name.
        """
        try:
            return self._code_of(label)
        except ValueError as error:
            raise BugError("station.value_out_of_range", f"{self.name}: {error}") from error

    def label(self, code: int) -> str:
        """The name of a code that `decode` gave; the number itself where `values` does not name it."""
        return self.codes.get(code, str(code))

    def encode(self, value: Value) -> list[int]:
        """The words of a value in engineering units, rounded to the count; a name of `values` stands for its code.

        Raises:
            BugError: The value does not fit; nothing is wrapped or clamped.
        """
        try:
            return self._words_of(value)
        except ValueError as error:
            raise BugError("station.value_out_of_range", f"{self.name}: {error}") from error

    def decode(self, words: Sequence[int]) -> Value:
        """The value in engineering units; of a register with `values` the code.

        Raises:
            IllegalWordsError: The words are no value of this register.
        """
        if len(words) != self.words:
            raise IllegalWordsError(f"{self.name}: {len(words)} words instead of {self.words}")
        try:
            value = self.word_type.decode(words)
        except ValueError as error:
            raise IllegalWordsError(f"{self.name}: {error}") from error
        if self.codes and value not in self.codes:
            raise IllegalWordsError(f"{self.name}: {value} is none of {self._allowed()}")
        if self.scale is None or self.scale == 1:
            return value
        return float(Decimal(str(self.scale)) * Decimal(value))

    def _words_of(self, value: Value) -> list[int]:
        if self.codes:
            return self.word_type.encode(self._code_of(value))
        return self.word_type.encode(value if self.scale is None else self._count(value))

    def _code_of(self, value: Value) -> int:
        for code, name in self.codes.items():
            if value in (code, name) and not isinstance(value, (bool, float)):
                return code
        raise ValueError(f"{value!r} is none of {self._allowed()}")

    def _count(self, value: Value) -> int:
        try:
            count = Decimal(str(value)) / Decimal(str(self.scale))
            return int(count.to_integral_value(ROUND_HALF_EVEN))
        except (InvalidOperation, OverflowError, ValueError):
            raise ValueError(f"{value!r} is no finite number") from None

    def _allowed(self) -> str:
        return ", ".join(f"{code} {name}" for code, name in self.codes.items())
