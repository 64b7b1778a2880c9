"""Pictures of what went wrong, and of what nearly did: the surface, the patch with the defect, and the evidence.

┌─────────┬──────────────┬──────────────┐
│ surface │ patch, truth │ patch with   │
│ 16 cells│ outlined     │ evidence     │
└─────────┴──────────────┴──────────────┘
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.dataset.patches import cut
from models.dataset.scans import read_image, read_mask
from models.evaluation.measuring.parts import Cutter, JudgedPart
from models.evaluation.measuring.pointing import EvidenceMap
from station.core.classes import SurfaceClass, Verdict
from station.core.geometry import BLOCKS_PER_TURN, PATCH_PX, PATCHES_PER_STRIP, STRIP_SHAPE
from station.core.part import Pixels

TRUTH_COLOUR, PATCH_COLOUR = (90, 220, 120), (60, 170, 255)
"""Blue-green-red."""
GAP_PX = 6
JPEG = (cv2.IMWRITE_JPEG_QUALITY, 88)


@dataclass(frozen=True, slots=True)
class Case:
    """A part worth looking at.

    Attributes:
        part: The part.
        patch: 0 to 15, the patch to show; None of a refused scan.
    """

    part: JudgedPart
    patch: int | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A case with its picture.

    Attributes:
        case: What is shown.
        jpeg: The encoded picture.
    """

    case: Case
    jpeg: bytes


def worst_escapes(judged: Iterable[JudgedPart], most: int) -> list[Case]:
    """Defective parts that were passed, the most confident first."""
    return _first(_sure(part for part in judged if part.escaped), most, defect_patch)


def worst_overkills(judged: Iterable[JudgedPart], most: int) -> list[Case]:
    """Good parts that were called defective, the most confident first."""
    return _first(_sure(part for part in judged if part.overkilled), most, deciding_patch)


def worst_confusions(judged: Iterable[JudgedPart], most: int) -> list[Case]:
    """Defective parts called another defect, or sent to review, the most confident first."""
    wrong = [part for part in judged if part.truth and not part.right and not part.escaped]
    return _first(_sure(wrong), most, deciding_patch)


def nearest_to_escape(judged: Iterable[JudgedPart], most: int) -> list[Case]:
    """Defective parts judged rightly, with the highest defect-free probability in the patch that decided."""
    right = [part for part in judged if part.truth and part.right]
    return _first(sorted(right, key=lambda part: part.confidence), most, deciding_patch)


def nearest_to_overkill(judged: Iterable[JudgedPart], most: int) -> list[Case]:
    """Good parts that were passed or sent to review with the least confidence."""
    passed = [part for part in judged if not part.truth and not part.overkilled]
    return _first(sorted(passed, key=lambda part: part.confidence), most, deciding_patch)


def defect_patch(part: JudgedPart) -> int | None:
    """The patch that is labelled with the defect and thought most defective; the deciding one where none is."""
    labelled = np.flatnonzero(part.labels > 0)
    if not len(labelled) or part.outcome is None:
        return deciding_patch(part)
    return int(labelled[part.probabilities[labelled, 0].argmin()])


def deciding_patch(part: JudgedPart) -> int | None:
    """The patch by which Algorithm 1 decided."""
    return part.outcome.deciding_patch if part.outcome else None


def show(cases: Iterable[Case], cutter: Cutter, evidence_map: EvidenceMap | None) -> list[Shown]:
    """The cases with their pictures.

    Raises:
        RecordingError: A scan or its mask cannot be used.
        ModelError: The network fails.
    """
    return [Shown(case, encode(picture(case, cutter, evidence_map))) for case in cases]


def picture(case: Case, cutter: Cutter, evidence_map: EvidenceMap | None) -> Pixels:
    """Surface, patch and evidence beside each other, (256, width, 3) uint8, BGR; of a refused scan the scan alone."""
    scan = case.part.scan
    image = read_image(scan)
    if case.patch is None:
        return _bgr(cv2.resize(image, (PATCH_PX, PATCH_PX), interpolation=cv2.INTER_AREA))
    patches = cutter(image, scan)
    masks = cut((read_mask(scan) > 0).astype(np.float32), scan.left, scan.right) >= 0.25
    patch = patches[case.patch]
    panes = [surface(patches, masks, case.patch), outlined(patch, masks[case.patch])]
    if evidence_map is not None:
        called = int(case.part.probabilities[case.patch].argmax()) or int(case.part.truth)
        sought = called or int(case.part.probabilities[case.patch, 1:].argmax()) + 1
        panes.append(heated(patch, evidence_map(patch, sought)))
    gap = np.full((PATCH_PX, GAP_PX, 3), 255, np.uint8)
    return np.concatenate([pane for each in panes for pane in (each, gap)][:-1], axis=1)


def surface(patches: Pixels, masks: NDArray[np.bool_], chosen: int) -> Pixels:
    """The unwrapped surface, 64x256, with the truth outlined and the chosen patch framed."""
    whole = _bgr(cv2.resize(_joined(patches), (64, PATCH_PX), interpolation=cv2.INTER_AREA))
    covered = cv2.resize(_joined(masks.astype(np.uint8) * 255), (64, PATCH_PX), interpolation=cv2.INTER_AREA)
    for contour in _contours(cv2.dilate(covered, np.ones((5, 5), np.uint8))):
        cv2.drawContours(whole, [contour], -1, TRUTH_COLOUR, 1)
    cell = PATCH_PX // BLOCKS_PER_TURN
    top, left = chosen // PATCHES_PER_STRIP * cell, chosen % PATCHES_PER_STRIP * cell
    cv2.rectangle(whole, (left, top), (left + cell - 1, top + cell - 1), PATCH_COLOUR, 1)
    return whole


def outlined(patch: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    """A patch with the truth's outline a little outside, so that the defect itself stays seen."""
    drawn = _bgr(patch)
    widened = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8))
    cv2.drawContours(drawn, _contours(widened), -1, TRUTH_COLOUR, 1, cv2.LINE_AA)
    return drawn


def heated(patch: Pixels, evidence: NDArray[np.floating]) -> Pixels:
    """A patch with its evidence as warm colour, scaled to its own maximum; none where there is no evidence."""
    highest = float(evidence.max())
    share = np.clip(evidence / highest, 0, 1) if highest > 0 else np.zeros(patch.shape)
    colours = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_INFERNO).astype(np.float32)
    weight = (0.65 * share[..., None]).astype(np.float32)
    return np.asarray(_bgr(patch) * (1 - weight) + colours * weight, np.uint8)


def encode(image: Pixels) -> bytes:
    """A picture as JPEG."""
    _done, encoded = cv2.imencode(".jpg", image, JPEG)
    return bytes(encoded.tobytes())


def caption(case: Case) -> str:
    """What is seen, in words."""
    part = case.part
    told = f"{part.scan.part_id}: {_words(part.truth)}, "
    if part.outcome is None:
        return told + f"scan refused ({part.reason})"
    verdict = "sent to review" if part.verdict is Verdict.REVIEW else f"judged {part.verdict.label.replace('_', ' ')}"
    row = part.probabilities[case.patch or 0]
    most = SurfaceClass(int(row.argmax()))
    return told + f"{verdict} with {part.confidence:.3f}. Patch {(case.patch or 0) + 1}: {_words(most)} {row.max():.3f}"


def _words(surface: SurfaceClass) -> str:
    return surface.label.replace("_", " ")


def _sure(parts: Iterable[JudgedPart]) -> list[JudgedPart]:
    return sorted(parts, key=lambda part: -part.confidence)


def _first(parts: Sequence[JudgedPart], most: int, patch: Callable[[JudgedPart], int | None]) -> list[Case]:
    return [Case(part, patch(part)) for part in parts[:most]]


def _joined(patches: Pixels) -> Pixels:
    halves = patches.reshape(BLOCKS_PER_TURN, PATCHES_PER_STRIP, PATCH_PX, PATCH_PX).swapaxes(1, 2)
    return np.ascontiguousarray(halves.reshape(BLOCKS_PER_TURN * PATCH_PX, STRIP_SHAPE[1]))


def _contours(mask: NDArray[np.uint8]) -> Sequence[NDArray[np.int32]]:
    return list(cv2.findContours((mask > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0])


def _bgr(image: NDArray[np.uint8]) -> Pixels:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
