"""How one value lies in 16-bit registers: the word types of the register maps.

32-bit values have the high word first, where a device's profile does not say otherwise; text has two characters a word,
high byte first, filled with zero bytes. What a peer fills with blanks is read as well: blanks and zero bytes at the end
are no part of a text.
A value that does not fit, or words that are no value of the type, are a `ValueError` whose text says why.
"""

import math
import operator
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

WordOrder = Literal["high_first", "low_first"]
"""Which word of a 32-bit value has the lower address."""

Value = int | float | str
"""A decoded value; truth values are `bool`, which is an `int`."""


class WordType(Protocol):
    """A type of the register maps."""

    @property
    def words(self) -> int:
        """Registers that one value takes."""

    def encode(self, value: Value) -> list[int]:
        """The words of `value`, first register first."""

    def decode(self, words: Sequence[int]) -> Value:
        """The value that the words hold."""


@dataclass(frozen=True, slots=True)
class Integer:
    """u16, i16, u32, i32."""

    words: int
    signed: bool
    order: WordOrder = "high_first"

    def encode(self, value: Value) -> list[int]:
        """The words of an integer."""
        if isinstance(value, (bool, str, float)):
            raise ValueError(f"{value!r} is no integer")  # noqa: TRY004
        try:
            raw = operator.index(value).to_bytes(2 * self.words, "big", signed=self.signed)
        except OverflowError:
            raise ValueError(f"{value} does not fit {16 * self.words} bits{' with sign' * self.signed}") from None
        return _in_order(_words(raw), self.order)

    def decode(self, words: Sequence[int]) -> int:
        """The integer that the words hold."""
        return int.from_bytes(_bytes(_in_order(words, self.order)), "big", signed=self.signed)


@dataclass(frozen=True, slots=True)
class Float32:
    """f32: IEEE 754 single precision; NaN and infinities are refused both ways."""

    words: int = 2
    order: WordOrder = "high_first"

    def encode(self, value: Value) -> list[int]:
        """The words of a number, rounded to single precision."""
        if isinstance(value, (bool, str)) or not math.isfinite(value):
            raise ValueError(f"{value!r} is no finite number")
        try:
            return _in_order(_words(struct.pack(">f", value)), self.order)
        except OverflowError:
            raise ValueError(f"{value} does not fit single precision") from None

    def decode(self, words: Sequence[int]) -> float:
        """The number that the words hold."""
        value = float(struct.unpack(">f", _bytes(_in_order(words, self.order)))[0])
        if not math.isfinite(value):
            raise ValueError(f"{value} is no finite number")
        return value


@dataclass(frozen=True, slots=True)
class Bool:
    """bool: 0 or 1 and nothing else, so that a frame of ones is not taken for true."""

    words: int = 1

    def encode(self, value: Value) -> list[int]:
        """1 for true."""
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is neither true nor false")  # noqa: TRY004
        return [int(value)]

    def decode(self, words: Sequence[int]) -> bool:
        """Whether the word is 1."""
        if words[0] > 1:
            raise ValueError(f"{words[0]} is neither 0 nor 1")
        return words[0] == 1


@dataclass(frozen=True, slots=True)
class Ascii:
    """ascii[N]: at most N printable ASCII characters, the last of them no blank; all zero is the empty text."""

    length: int

    @property
    def words(self) -> int:
        """Two characters a register."""
        return self.length // 2

    def encode(self, value: Value) -> list[int]:
        """The words of a text."""
        if not isinstance(value, str) or not _printable(value) or len(value) > self.length:
            raise ValueError(f"{value!r} is not at most {self.length} printable ASCII characters")
        return _words(value.encode("ascii").ljust(self.length, b"\0"))

    def decode(self, words: Sequence[int]) -> str:
        """The text that the words hold, without what fills it up."""
        text = _bytes(words).rstrip(b"\0 ").decode("latin-1")
        if not _printable(text):
            raise ValueError(f"{text!r} has other than printable ASCII characters")
        return text


_FIXED: dict[str, Callable[[WordOrder], WordType]] = {
    "u16": lambda _: Integer(1, signed=False),
    "i16": lambda _: Integer(1, signed=True),
    "u32": lambda order: Integer(2, signed=False, order=order),
    "i32": lambda order: Integer(2, signed=True, order=order),
    "f32": lambda order: Float32(order=order),
    "bool": lambda _: Bool(),
}


def word_type(name: str, order: WordOrder = "high_first") -> WordType:
    """The type with this name: u16, i16, u32, i32, f32, bool, or ascii[N] with an even N from 2 to 240.

    Args:
        name: Of the type.
        order: Of the words of a 32-bit value.
    """
    if name in _FIXED:
        return _FIXED[name](order)
    match = re.fullmatch(r"ascii\[(\d{1,3})\]", name)
    length = int(match.group(1)) if match else 0
    if length % 2 or not 2 <= length <= 240:
        raise ValueError(f"{name!r} is none of {', '.join(_FIXED)}, ascii[N] with an even N from 2 to 240")
    return Ascii(length)


def _in_order(words: Sequence[int], order: WordOrder) -> list[int]:
    return list(words) if order == "high_first" else list(reversed(words))


def _words(raw: bytes) -> list[int]:
    return list(struct.unpack(f">{len(raw) // 2}H", raw))


def _bytes(words: Sequence[int]) -> bytes:
    return struct.pack(f">{len(words)}H", *words)


def _printable(text: str) -> bool:
    return text.isascii() and all(" " <= character <= "~" for character in text)
