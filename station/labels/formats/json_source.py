"""JSON of another program: strict, and each value asked for by its kind, so that a wrong one is told with its place."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from station.labels.formats.source import WrongFileError


@dataclass(frozen=True, slots=True)
class JsonItem:
    """A value of a JSON document, and where it stands.

    Attributes:
        value: As `json` gives it.
        where: File and way to the value, for people.
    """

    value: Any
    where: str

    def get(self, name: str) -> "JsonItem":
        """What an object has under a name; null where it has nothing.

        Raises:
            WrongFileError: It is no object.
        """
        if not isinstance(self.value, dict):
            raise self.wrong("an object is expected")
        return JsonItem(self.value.get(name), f"{self.where}.{name}")

    def __contains__(self, name: str) -> bool:
        """Whether it is an object that has something other than null under a name."""
        return isinstance(self.value, dict) and self.value.get(name) is not None

    def items(self) -> Iterator["JsonItem"]:
        """The items of a list; none of null.

        Raises:
            WrongFileError: It is no list.
        """
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise self.wrong("a list is expected")
        for number, value in enumerate(self.value):
            yield JsonItem(value, f"{self.where}[{number}]")

    def text(self) -> str:
        """A text of at least one character.

        Raises:
            WrongFileError: It is none.
        """
        if not isinstance(self.value, str) or not self.value:
            raise self.wrong("a text is expected")
        return self.value

    def number(self) -> float:
        """A finite number.

        Raises:
            WrongFileError: It is none.
        """
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.wrong("a number is expected")
        try:
            number = float(self.value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.wrong("the number is too large")
        return number

    def whole(self) -> int:
        """A whole number.

        Raises:
            WrongFileError: It is none.
        """
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.wrong("a whole number is expected")
        return self.value

    def wrong(self, told: str) -> WrongFileError:
        """The error that this value is."""
        return WrongFileError(f"{self.where}: {told}")


def parse_json(text: str, where: str) -> JsonItem:
    """A document, or one line of a file.

    Raises:
        WrongFileError: No JSON; a name twice in one object, of which one would be lost; NaN or Infinity, which are no
            numbers of JSON; or nested deeper than anything that describes a picture.
    """
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        place = f"{where} line {error.lineno}" if "\n" in text.rstrip("\n") else where
        raise WrongFileError(f"{place}: it is no JSON: {error.msg} (column {error.colno})") from error
    except RecursionError as error:
        raise WrongFileError(f"{where}: it is nested too deeply") from error
    except ValueError as error:
        raise WrongFileError(f"{where}: {error}") from error
    return JsonItem(value, where)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} stands twice in one object")
    return values


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
