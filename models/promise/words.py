"""The chapter of a model card on what is promised of the parts that pass."""

from collections.abc import Mapping

from models.manifest import Manifest
from station.core.promise import NOTHING_PROMISED, Promise, Suspension, suspended

TITLE = "## What is promised"
HOLDS = (
    "It holds of defective parts drawn as these were, judged by this network in this arithmetic. It says nothing of "
    "kinds of defects that were not among them."
)
RENDERED = "These parts were drawn, not made: of a line's own parts it says nothing."


def said(promises: Mapping[str, Promise], suspensions: Mapping[str, Suspension] | None = None) -> list[str]:
    """A sentence for each part type, with why it does not hold where it does not; or that nothing is promised."""
    why = suspensions or {}
    return [suspended(one.sentence, why.get(name)) for name, one in promises.items()] or [NOTHING_PROMISED]


def chapter(manifest: Manifest, suspensions: Mapping[str, Suspension] | None = None) -> str:
    """The chapter, with its title.

    Args:
        manifest: Of the bundle.
        suspensions: By part type, why its promise does not hold any more.
    """
    promises = manifest.promises
    rendered = [RENDERED] if any(one.kind == "rendered" for one in promises.values()) else []
    return "\n\n".join([TITLE, *said(promises, suspensions), *([HOLDS] if promises else []), *rendered])
