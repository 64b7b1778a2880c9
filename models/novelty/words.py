"""The chapter of a model card on parts unlike anything that the network was trained on."""

from models.manifest import Manifest
from models.novelty.sections import CalibratedType

TITLE = "## Parts unlike all that it was trained on"
CANNOT = "It cannot tell them: such a part gets one of its classes, or passes."
ALIKE = (
    "Whether a part is one of them is told from {patches} patches of {source}. Good parts that are as the calibrated "
    "ones are sent to review as unknown no more often than novelty.alpha says, down to the share in the last column. "
    "That says nothing of how many unknown ones are found."
)
UNMEASURED = "No good parts were held against it yet, so none is told: `station model calibrate` mends that."


def chapter(manifest: Manifest) -> str:
    """The chapter, with its title."""
    if manifest.novelty is None:
        return f"{TITLE}\n\n{CANNOT}"
    if manifest.calibration is None:
        return f"{TITLE}\n\n{UNMEASURED}"
    alike = ALIKE.format(patches=f"{manifest.novelty.patches:,}", source=manifest.novelty.source)
    rows = [
        f"| {name} | {kind.parts:,} | {kind.source.replace('|', '/')} | {kind.measured_by} | {_least(kind)} |"
        for name, kind in manifest.calibration.types.items()
    ]
    head = "| part type | good parts | what they are | measured by | least alpha |"
    return "\n".join([TITLE, "", alike, "", head, "|" + " --- |" * 5, *rows])


def _least(kind: CalibratedType) -> str:
    return f"{1 / (kind.parts + 1):.2%}"
