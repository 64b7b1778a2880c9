"""`station model predict`: what a network makes of any picture.

    picture ─ of a patch's size ────────▶ as it is ─┐
            ─ with the lines of a turn ─▶ cut as the station cuts a scan ─┼─ scored, Algorithm 1 ─▶ Predicted
            ─ of any other size ────────▶ resized ──┤
            ─ the same, by a detector ──▶ one product: its place, resized; unsure: looked at again ─┘
                                          none, or several: review

Nothing is known of the pictures but their pixels. What was resized was not seen so in training, and says so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from models.dataset.layout import MASK_FOLDERS
from models.dataset.pictures import SUFFIXES, decoded_picture
from models.detector.layout import Place
from models.detector.reader import Detector
from models.evaluation.measuring.scorers import Scored, Scorer
from models.meaning import fitting_meaning
from models.release.shelf import chosen_bundle
from station.core.algorithm1 import algorithm1
from station.core.errors import ConfigError, PartError, RecordingError, StationError
from station.core.geometry import Geometry
from station.core.novelty.conformal import NoveltyRule
from station.core.part import PartType, Pixels, Probabilities
from station.core.probabilities import columns_of
from station.core.recording import INDEX_NAME, read_recording
from station.core.scan_file import ScanFileError
from station.core.settings import Settings
from station.core.verdicts import REVIEW
from station.host.bundles import find_shelf
from station.host.recipes import lighting_of
from station.offline.cropping import cut_scan, kind_of, proofs_of
from station.offline.inspect import NotInspected, Wanted
from station.offline.measuring import CHECKPOINT

JudgedAs = Literal["patch", "resized", "scan", "product"]
WIDER = 0.06
"""By so much of its size a product's place is widened, or moved, where it is looked at again."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a network makes of one picture.

    Attributes:
        file: The picture.
        judged_as: One patch as it is, one patch after resizing, a whole scan of many, or a product that a detector saw,
            after resizing.
        shape: Height and width of the picture.
        patches: (n, height, width) uint8, as they were judged; none of a scan that the station refuses.
        probabilities: (n, classes).
        answer: The class of the picture; review where the scan is refused.
        verdict: The same, or review under the least confidence, or under that which a promised pass takes.
        confidence: Of the answer; 0 where the scan is refused.
        patch: The one that decides, counted from 0; None where the scan is refused.
        reason: Why it is review, in words; empty where it is not.
        places: Where a detector saw products; empty where none was asked.
        looks: How often the product was looked at.
    """

    file: Path
    judged_as: JudgedAs
    shape: tuple[int, int]
    patches: Pixels
    probabilities: Probabilities
    answer: str
    verdict: str
    confidence: float
    patch: int | None
    reason: str = ""
    places: tuple[Place, ...] = ()
    looks: int = 1

    def percent(self, classes: tuple[str, ...]) -> dict[str, float]:
        """The probability of each class in the deciding patch, in percent; empty where the scan is refused."""
        if self.patch is None:
            return {}
        row = self.probabilities[self.patch]
        return {name: round(100 * float(value), 2) for name, value in zip(classes, row, strict=True)}

    def as_json(self, classes: tuple[str, ...]) -> dict[str, Any]:
        """The result as plain data for `--json`."""
        return {
            "file": str(self.file),
            "height": self.shape[0],
            "width": self.shape[1],
            "judged_as": self.judged_as,
            "class": self.answer,
            "verdict": self.verdict,
            "confidence": round(self.confidence, 6),
            "reason": self.reason or None,
            "percent": self.percent(classes),
            "patch": self.patch,
            "places": [asdict(place) for place in self.places],
            "looks": self.looks,
            "patches": [[round(float(value), 6) for value in row] for row in self.probabilities],
        }


class Predictor:
    """A network that is asked about pictures.

    Args:
        scorer: The network.
        passing: The class with which a part is good, as the network was trained; None where nobody said.
        settings: The station's: classes, part types, crop, least confidence.
        detector: Says where products are in pictures that are neither patches nor scans; None resizes these whole.
    """

    def __init__(
        self, scorer: Scorer, passing: str | None, settings: Settings, detector: Detector | None = None
    ) -> None:
        self.scorer = scorer
        self.geometry: Geometry = scorer.geometry or settings.geometry.value()
        self._meaning = fitting_meaning(scorer.classes, passing, settings.table, scorer.name)
        self._settings = settings
        self._detector = detector

    @property
    def passing(self) -> int | None:
        """The column of what passes; None where nothing is known to."""
        return self._meaning.passing if self._meaning else None

    def predict(self, wanted: Wanted) -> Predicted:
        """Judge one picture.

        Raises:
            RecordingError: It cannot be read, or is not 8-bit grey.
            ConfigError: It is a scan that no configured part type fits, or of a network without a class that passes.
            ModelError: The network fails.
        """
        image, shape = read_grey(wanted.file), self.scorer.image_shape
        if image.shape == shape:
            return self._decided(wanted.file, "patch", image, image[None])
        if self._is_scan(image):
            return self._scan(wanted, image)
        if self._detector is not None:
            return self._product(wanted.file, image, self._detector.find(image))
        return self._decided(wanted.file, "resized", image, self._resized(image)[None])

    def _product(self, file: Path, image: Pixels, places: tuple[Place, ...]) -> Predicted:
        """What is made of the one product that a detector sees; none or several are nothing to judge."""
        if len(places) != 1:
            seen = "; ".join(map(str, places))
            told = f"part.two_objects: products in {seen}" if places else "part.jig_empty: the detector sees no product"
            return replace(self._refused(file, "product", image, told), places=places)
        first = self._decided(file, "product", image, self._resized(_cut(image, places[0]))[None])
        again = self._again(first, image, places[0]) if first.reason else first
        return replace(again, places=places)

    def _again(self, first: Predicted, image: Pixels, place: Place) -> Predicted:
        """An unsure product, looked at three times more: wider, moved, mirrored. Only what all agree on is believed."""
        looks = [self._resized(one) for one in other_looks(image, place)]
        more = [self._decided(first.file, "product", image, look[None]) for look in looks]
        told = {one.answer for one in (first, *more)}
        sure = [one for one in more if not one.reason]
        if len(told) == 1 and len(sure) == len(more):
            return replace(min(sure, key=lambda one: one.confidence), looks=1 + len(more))
        answers = ", ".join(f"{one.answer} {one.confidence:.3f}" for one in (first, *more))
        return replace(first, reason=f"{first.reason}; looked at again: {answers}", looks=1 + len(more))

    def _resized(self, image: Pixels) -> Pixels:
        height, width = self.scorer.image_shape
        return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def _is_scan(self, image: Pixels) -> bool:
        side = self.geometry.patch_px
        return len(image) == self.geometry.lines_per_turn and self.scorer.image_shape == (side, side)

    def _scan(self, wanted: Wanted, image: Pixels) -> Predicted:
        kinds = [kind for kind in self._settings.known_types if kind.geometry == self.geometry]
        if not kinds or self._meaning is None:
            told = "no part type has its geometry" if not kinds else "nobody says which class of the network passes"
            raise ConfigError("config.invalid", f"{wanted.file}: it has the {len(image)} lines of a scan, but {told}")
        try:
            kind = kind_of(image, kinds, self._settings.crop)
            lighting = lighting_of(self._settings, kind.name, self.scorer.light_level)
            patches = cut_scan(image, kind, self._settings.crop, proofs_of(wanted, self._settings.turn), lighting)
        except PartError as error:
            return self._refused(wanted.file, "scan", image, f"{error.code}: {error.detail}")
        return self._decided(wanted.file, "scan", image, patches, kind)

    def _refused(self, file: Path, judged_as: JudgedAs, image: Pixels, told: str) -> Predicted:
        none = np.zeros((0, *self.scorer.image_shape), np.uint8)
        nothing = np.zeros((0, len(self.scorer.classes)), np.float32)
        shape = (image.shape[0], image.shape[1])
        return Predicted(file, judged_as, shape, none, nothing, REVIEW, REVIEW, 0.0, None, told)

    def _decided(
        self, file: Path, judged_as: JudgedAs, image: Pixels, patches: Pixels, kind: PartType | None = None
    ) -> Predicted:
        scored = self.scorer.answer(patches)
        probabilities = scored.probabilities
        answer, confidence, patch = self._answer(probabilities)
        reason = self._unknown(scored, kind) or self._unsure(confidence) or self._not_promised(answer, confidence, kind)
        shape = (image.shape[0], image.shape[1])
        return Predicted(
            file, judged_as, shape, patches, probabilities, answer, REVIEW if reason else answer, confidence, patch,
            reason,
        )  # fmt: skip

    def _unknown(self, scored: Scored, kind: PartType | None) -> str:
        """Why a part of a type counts as unknown, in words; empty where it does not."""
        known = self.scorer.known
        if kind is None or known is None or scored.novelty is None:
            return ""
        rule = NoveltyRule(self._settings.novelty.alpha, known.calibrations.get(kind.name))
        novelty = rule.judge(scored.novelty.tolist())
        return f"part.unknown: {novelty}" if novelty.unknown else ""

    def _unsure(self, confidence: float) -> str:
        least = self._settings.decision.min_confidence
        if self._meaning is None or confidence >= least:
            return ""
        return f"part.low_confidence: {confidence:.3f}, the least is {least:g}"

    def _not_promised(self, answer: str, confidence: float, kind: PartType | None) -> str:
        """Why a part of a type that looks good does not pass by what is promised of the network, or empty."""
        promise = self.scorer.promises.get(kind.name) if kind is not None else None
        if promise is None or answer != self._settings.table.passing.name or confidence >= promise.least:
            return ""
        return f"part.not_promised: {confidence:.3f}, what is promised takes {promise.least:g}"

    def _answer(self, probabilities: Probabilities) -> tuple[str, float, int]:
        if self._meaning is not None:
            outcome = algorithm1(probabilities, self._meaning.outputs)
            return outcome.verdict.name, outcome.confidence, outcome.deciding_patch
        column = int(columns_of(probabilities[0], None))
        return self.scorer.classes[column], float(probabilities[0, column]), 0


def _cut(image: Pixels, place: Place) -> Pixels:
    return image[place.top : place.bottom, place.left : place.right]


def other_looks(image: Pixels, place: Place) -> tuple[Pixels, Pixels, Pixels]:
    """A product once more: with more around it, moved within the picture, and mirrored."""
    rows, columns = (max(1, round(WIDER * side)) for side in (place.bottom - place.top, place.right - place.left))
    wider = replace(
        place,
        top=max(0, place.top - rows),
        left=max(0, place.left - columns),
        bottom=min(len(image), place.bottom + rows),
        right=min(image.shape[1], place.right + columns),
    )
    back = place.bottom + rows > len(image), place.right + columns > image.shape[1]
    down, across = (-rows if back[0] else rows), (-columns if back[1] else columns)
    moved = replace(
        place,
        top=max(0, place.top + down),
        left=max(0, place.left + across),
        bottom=place.bottom + down,
        right=place.right + across,
    )
    return _cut(image, wider), _cut(image, moved), _cut(image, place)[:, ::-1]


def read_grey(path: Path) -> Pixels:
    """A picture (height, width) uint8 from a PNG, TIFF, BMP or JPEG.

    Raises:
        RecordingError: It cannot be read, is not whole, or not 8-bit grey.
    """
    try:
        return np.ascontiguousarray(decoded_picture(path.read_bytes()))
    except OSError as error:
        raise RecordingError("recording.bad_image", f"{path}: it cannot be read: {error.strerror}") from error
    except ScanFileError as error:
        raise RecordingError("recording.bad_image", f"{path}: {error}") from error


def passing_of(model: str, settings: Settings) -> str | None:
    """The class with which a part is good, as a bundle or a checkpoint was trained; None where nobody said.

    Raises:
        ModelError: The bundle cannot be used.
        TrainingError: The checkpoint cannot be used.
    """
    if model.endswith(CHECKPOINT):
        from models.training.checkpoint import info_of, read_checkpoint  # noqa: PLC0415 # torch is an extra

        return info_of(read_checkpoint(Path(model)), Path(model)).data.passing
    return chosen_bundle(model, find_shelf(settings)).manifest.passing


def wanted_pictures(paths: Iterable[Path]) -> Iterator[Wanted | NotInspected]:
    """The pictures that a command line names: files, recordings, and all that lie below a folder but masks."""
    for path in paths:
        if not path.is_dir():
            missing = RecordingError("recording.not_found", str(path))
            yield Wanted(path, None) if path.is_file() else NotInspected(path, missing)
        elif (path / INDEX_NAME).exists():
            yield from _recorded(path)
        else:
            yield from _below(path)


def _recorded(folder: Path) -> Iterator[Wanted | NotInspected]:
    try:
        recording = read_recording(folder, None)
    except StationError as error:
        yield NotInspected(folder, error)
        return
    yield from (Wanted(scan.file, scan.part_type, scan.closed, scan.composed) for scan in recording.scans)
    yield from (NotInspected(folder, problem) for problem in recording.problems)


def _below(folder: Path) -> Iterator[Wanted | NotInspected]:
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file()]
    pictures = [path for path in files if not _hidden(path.relative_to(folder))]
    yield from (Wanted(path, None) for path in pictures)
    if not pictures:
        told = f"{folder}: no picture ({', '.join(sorted(SUFFIXES))}) in it"
        yield NotInspected(folder, RecordingError("recording.not_found", told))


def _hidden(inner: Path) -> bool:
    return any(part.startswith(".") or part.lower() in MASK_FOLDERS for part in inner.parts)
