"""The chapter of a model card on what is promised of the parts that pass."""

from collections.abc import Mapping

from models.manifest import Manifest
from station.core.promise import NOTHING_PROMISED, Promise

TITLE = "## What is promised"
HOLDS = (
    "It holds of defective parts drawn as these were, judged by this network in this arithmetic. It says nothing of "
    "kinds of defects that were not among them."
)
RENDERED = "These parts were drawn, not made: of a line's own parts it says nothing."


def said(promises: Mapping[str, Promise]) -> list[str]:
    """A sentence for each part type, or that nothing is promised."""
    return [one.sentence for one in promises.values()] or [NOTHING_PROMISED]


def chapter(manifest: Manifest) -> str:
    """The chapter, with its title."""
    promises = manifest.promises
    rendered = [RENDERED] if any(one.kind == "rendered" for one in promises.values()) else []
    return "\n\n".join([TITLE, *said(promises), *([HOLDS] if promises else []), *rendered])
