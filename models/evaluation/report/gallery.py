"""Pictures of what went wrong, and of what nearly did: the surface, the patch with the defect, and the evidence.

┌─────────┬──────────────┬──────────────┐
│ surface │ patch, truth │ patch with   │
│ in cells│ outlined     │ evidence     │
└─────────┴──────────────┴──────────────┘
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.dataset.named import KnownScan, NamedScan, read_image
from models.dataset.patches import cut
from models.dataset.scans import read_mask
from models.evaluation.figures.wording import name
from models.evaluation.measuring.parts import JudgedPart, Rule
from models.evaluation.measuring.pointing import EvidenceMap
from station.core.geometry import Geometry
from station.core.part import Pixels
from station.core.verdicts import Verdict

TRUTH_COLOUR, PATCH_COLOUR = (90, 220, 120), (60, 170, 255)
"""Blue-green-red."""
GAP_PX = 6
JPEG = (cv2.IMWRITE_JPEG_QUALITY, 88)


@dataclass(frozen=True, slots=True)
class Case:
    """A part worth looking at.

    Attributes:
        part: The part.
        patch: The patch to show, counted from 0; None of a refused scan.
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
    wrong = [part for part in judged if part.truth.is_defect and not part.right and not part.escaped]
    return _first(_sure(wrong), most, deciding_patch)


def nearest_to_escape(judged: Iterable[JudgedPart], most: int) -> list[Case]:
    """Defective parts judged rightly, with the least confidence."""
    right = [part for part in judged if part.truth.is_defect and part.right]
    return _first(sorted(right, key=lambda part: part.confidence), most, deciding_patch)


def nearest_to_overkill(judged: Iterable[JudgedPart], most: int) -> list[Case]:
    """Good parts that were passed or sent to review with the least confidence."""
    passed = [part for part in judged if part.truth.passes and not part.overkilled]
    return _first(sorted(passed, key=lambda part: part.confidence), most, deciding_patch)


def defect_patch(part: JudgedPart) -> int | None:
    """The patch that is labelled with the defect and thought most defective; the deciding one where none is."""
    labelled = np.flatnonzero(part.shows)
    if not len(labelled) or part.outcome is None:
        return deciding_patch(part)
    return int(labelled[part.probabilities[labelled, part.meaning.passing].argmin()])


def deciding_patch(part: JudgedPart) -> int | None:
    """The patch by which Algorithm 1 decided."""
    return part.outcome.deciding_patch if part.outcome else None


def show(cases: Iterable[Case], rule: Rule, evidence_map: EvidenceMap | None) -> list[Shown]:
    """The cases with their pictures.

    Raises:
        RecordingError: A scan or its mask cannot be used.
        ModelError: The network fails.
    """
    return [Shown(case, encode(picture(case, rule, evidence_map))) for case in cases]


def picture(case: Case, rule: Rule, evidence_map: EvidenceMap | None) -> Pixels:
    """Surface, patch and evidence beside each other, (patch_px, width, 3) uint8, BGR; of a refused scan it alone.

    What the truth marks is outlined.
    """
    scan, geometry = case.part.scan, rule.geometry
    image = read_image(scan)
    if case.patch is None:
        return _bgr(_resized(image, (geometry.patch_px, geometry.patch_px)))
    patches = rule.cutter(image, scan)
    masks = _masks(scan, geometry)
    patch = patches[case.patch]
    panes = [surface(patches, masks, case.patch, geometry), outlined(patch, masks[case.patch])]
    if evidence_map is not None:
        panes.append(heated(patch, evidence_map(patch, sought(case.part, case.patch))))
    gap = np.full((geometry.patch_px, GAP_PX, 3), 255, np.uint8)
    return np.concatenate([pane for each in panes for pane in (each, gap)][:-1], axis=1)


def _masks(scan: KnownScan, geometry: Geometry) -> NDArray[np.bool_]:
    """Where defects lie in the patches (patches, height, width); nowhere of a part without a mask."""
    if isinstance(scan, NamedScan):
        return np.zeros((geometry.patches_per_part, geometry.patch_px, geometry.patch_px), np.bool_)
    return np.asarray(cut((read_mask(scan) > 0).astype(np.float32), scan.left, scan.right, geometry) >= 0.25, np.bool_)


def sought(part: JudgedPart, patch: int) -> int:
    """The column of the defect to look for in a patch: the one called, else the part's own, else the likeliest."""
    meaning, row = part.meaning, part.probabilities[patch]
    if (called := int(meaning.called(row))) != meaning.passing:
        return called
    if part.truth.is_defect and not part.unlisted and (own := meaning.surfaces.index(part.truth)) < len(row):
        return own
    defects = np.delete(np.arange(len(row)), meaning.passing)
    return int(defects[row[defects].argmax()])


def surface(patches: Pixels, masks: NDArray[np.bool_], chosen: int, geometry: Geometry) -> Pixels:
    """The unwrapped surface, as high as a patch, with the truth outlined and the chosen patch framed."""
    cell = geometry.patch_px // geometry.blocks_per_turn
    size = max(1, cell * geometry.patches_per_strip), geometry.patch_px
    whole = _bgr(_resized(_joined(patches, geometry), size))
    covered = _resized(_joined(masks.astype(np.uint8) * 255, geometry), size)
    for contour in _contours(_widened(covered, 5)):
        cv2.drawContours(whole, [contour], -1, TRUTH_COLOUR, 1)
    strip, place = divmod(chosen, geometry.patches_per_strip)
    top, left = strip * geometry.patch_px // geometry.blocks_per_turn, place * cell
    cv2.rectangle(whole, (left, top), (left + cell - 1, top + cell - 1), PATCH_COLOUR, 1)
    return whole


def outlined(patch: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    """A patch with the truth's outline a little outside, so that the defect itself stays seen."""
    drawn = _bgr(patch)
    cv2.drawContours(drawn, _contours(_widened(mask.astype(np.uint8), 9)), -1, TRUTH_COLOUR, 1, cv2.LINE_AA)
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
    verdict = "sent to review" if part.verdict.is_review else f"judged {_words(part.verdict)}"
    row = part.probabilities[case.patch or 0]
    most = part.meaning.surfaces[int(part.meaning.called(row))]
    return told + f"{verdict} with {part.confidence:.3f}. Patch {(case.patch or 0) + 1}: {_words(most)} {row.max():.3f}"


def _words(surface: Verdict) -> str:
    return name(surface.name)


def _sure(parts: Iterable[JudgedPart]) -> list[JudgedPart]:
    return sorted(parts, key=lambda part: -part.confidence)


def _first(parts: Sequence[JudgedPart], most: int, patch: Callable[[JudgedPart], int | None]) -> list[Case]:
    return [Case(part, patch(part)) for part in parts[:most]]


def _joined(patches: Pixels, geometry: Geometry) -> Pixels:
    rows, columns = geometry.strip_shape
    beside = patches.reshape(geometry.blocks_per_turn, *geometry.patches_shape).swapaxes(1, 2)
    return np.ascontiguousarray(beside.reshape(geometry.blocks_per_turn * rows, columns))


def _contours(mask: Pixels) -> list[NDArray[np.int32]]:
    found, _hierarchy = cv2.findContours((mask > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [np.asarray(contour, np.int32) for contour in found]


def _widened(mask: Pixels, by_px: int) -> Pixels:
    return np.asarray(cv2.dilate(mask, np.ones((by_px, by_px), np.uint8)), np.uint8)


def _resized(image: Pixels, size: tuple[int, int]) -> Pixels:
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _bgr(image: NDArray[np.uint8]) -> Pixels:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
