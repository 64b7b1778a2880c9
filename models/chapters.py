"""Chapters of a model card that are written anew when a bundle gets more than it was exported with."""

import re


def with_chapter(card: str, text: str) -> str:
    """A card with a chapter as it is now; at its place, or, where it had none of this title, at the end.

    Args:
        card: The whole card.
        text: The chapter; its first line is its title, `## ` and words.
    """
    title = text.split("\n", maxsplit=1)[0]
    pattern = re.compile(rf"{re.escape(title)}\n.*?(?=\n\n## |\Z)", re.DOTALL)
    if pattern.search(card):
        return pattern.sub(lambda _found: text, card).rstrip("\n") + "\n"
    return f"{card.rstrip(chr(10))}\n\n{text}\n"
