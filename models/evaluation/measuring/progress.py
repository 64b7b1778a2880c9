"""How a long measurement says how far it is."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Progress(Protocol):
    """Shows a loop's progress."""

    def __call__(self, what: str, items: Sequence[Item]) -> Iterable[Item]:
        """The same items, one by one, while `what` is shown to go on."""


def silent(what: str, items: Sequence[Item]) -> Iterable[Item]:  # noqa: ARG001
    """The items, and nothing is shown."""
    return items
