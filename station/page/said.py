"""What people write on the page in a line of their own: a reason, a note."""

from typing import Any

from station.core.errors import PageError

MOST_LETTERS = 200


def one_line(text: Any, what: str) -> str:
    """What was written, as one line.

    Args:
        text: What the browser sent.
        what: What it is, for whoever has not written it.

    Raises:
        PageError: `page.refused`: it is no text, empty, or too long.
    """
    line = maybe_line(text)
    if not line:
        raise PageError("page.refused", f"{what} is needed")
    return line


def maybe_line(text: Any) -> str:
    """The same, where it may be left out.

    Raises:
        PageError: `page.refused`: it is no text, or too long.
    """
    line = " ".join(text.split()) if isinstance(text, str) else None if text else ""
    if line is None or len(line) > MOST_LETTERS or not line.isprintable():
        raise PageError("page.refused", f"this is a line of at most {MOST_LETTERS} letters")
    return line
