"""Whether the station judges by the least confidence with which its bundle was measured.

The configuration rules: `decision.min_confidence`, or the part type's own, is what sends a part to REVIEW, whatever a
bundle says. But what was measured holds for the least confidence that it was measured with. That is the gate's, where
it let the bundle pass, and otherwise the one of the figures in the bundle's manifest.
"""

from models.manifest import Bundle
from models.release.shelf import Shelf

GENERAL = "decision.min_confidence"


def threshold_mismatch(bundle: Bundle, shelf: Shelf, min_confidence: float, key: str = GENERAL) -> str | None:
    """What a person should know where a bundle was measured with another least confidence; None where it was not.

    Args:
        bundle: What the station runs.
        shelf: Where the gate leaves its reports.
        min_confidence: The configured one.
        key: Where the configuration says it.

    Raises:
        ModelError: The shelf's history cannot be used.
    """
    measured, by = _measured_with(bundle, shelf)
    if measured is None or measured == min_confidence:
        return None
    effect = (
        "parts pass or are sorted that were a REVIEW in that measurement"
        if min_confidence < measured
        else "parts are a REVIEW that passed or were sorted in that measurement"
    )
    return (
        f"{key} is {min_confidence:g}, {bundle.identity.name} was measured with {measured:g} ({by}): "
        f"{effect}; its figures do not hold"
    )


def _measured_with(bundle: Bundle, shelf: Shelf) -> tuple[float | None, str]:
    measured = shelf.passed_with(bundle.identity.sha256)
    if measured is not None:
        return measured.min_confidence, "the gate"
    thresholds = bundle.manifest.thresholds
    return (thresholds.min_confidence if thresholds else None), "its manifest"
