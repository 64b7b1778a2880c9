"""`station inspect`: images from disk through the very steps that judge a turning part, and a picture of each."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count as counted
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from models.engines.processor import usable_cores
from models.evidence import Heat, evidence_map, peak
from station.cell.judging import SurfaceJudge
from station.cell.locating import find_defects
from station.core.algorithm1 import surfaces_of
from station.core.errors import ConfigError, PartError, RecordingError, StationError
from station.core.judgement import Defect
from station.core.light import Light, multiplied
from station.core.part import Block, Decision, Pixels, Roi, ScanHealth
from station.core.recipe import Recipe, Recipes
from station.core.recording import decoded_scan, read_recording, read_scan
from station.core.settings import Settings
from station.core.verdicts import Verdict
from station.flow.acquire import Accountant
from station.flow.decide import decide
from station.flow.light import gain_of
from station.flow.patch import blocks_of
from station.offline.cropping import kind_of, proofs_of
from station.offline.nearest import nearest_known, with_neighbours
from station.view.report import defect_rows, light_row, novelty_row

Tell = Callable[[int, int], None]
"""Told how many there are done, and in all."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """One judged image; `recipe` is what it was judged by."""

    file: Path
    decision: Decision
    roi: Roi | None
    scan_valid: bool
    image: Pixels
    recipe: Recipe
    defects: tuple[Defect, ...] = ()
    light: Light | None = None

    def as_json(self) -> dict[str, Any]:
        """The result as plain data for `--json`."""
        decision, patch = self.decision, self.decision.deciding_patch
        across = self.recipe.rule.geometry.patches_per_strip
        return {
            "file": str(self.file),
            "verdict": decision.verdict.name,
            "algorithm1": decision.algorithm1.name if decision.algorithm1 else None,
            "reason": decision.fault.code if decision.fault else None,
            "detail": decision.detail or None,
            "confidence": round(decision.confidence, 6),
            "patch": None if patch is None else {"row": patch // across, "column": patch % across},
            "probabilities": [[round(float(value), 6) for value in row] for row in decision.probabilities],
            "roi": None if self.roi is None else {"left": self.roi.left, "right": self.roi.right},
            "scan_valid": self.scan_valid,
            "defects": defect_rows(self.defects),
            "light": light_row(self.light),
            "novelty": novelty_row(decision.novelty),
            "screened": None if decision.screened is None else list(decision.screened),
        }


@dataclass(frozen=True, slots=True)
class NotInspected:
    """One image that could not be judged at all."""

    file: Path
    error: StationError

    def as_json(self) -> dict[str, Any]:
        """The error as plain data for `--json`."""
        return {"file": str(self.file), "error": {"code": self.error.code, "message": str(self.error)}}


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image to judge.

    Attributes:
        file: The image.
        part_type: The type that its recording announces, or None for whichever fits its width.
        closed: Whether it is a whole turn, whose end meets its beginning.
        composed: Whether it was put together from pictures.
    """

    file: Path
    part_type: str | None
    closed: bool = True
    composed: bool = False


def wanted_images(paths: Iterable[Path], settings: Settings) -> Iterator[Wanted | NotInspected]:
    """The images that the command line names: files, and folders with or without a `recording.jsonl`."""
    for path in paths:
        if not path.is_dir():
            missing = RecordingError("recording.not_found", str(path))
            yield Wanted(path, None) if path.is_file() else NotInspected(path, missing)
            continue
        try:
            recording = read_recording(path, frozenset(settings.part_types), settings.table.names)
        except RecordingError as error:
            yield NotInspected(path, error)
            continue
        yield from (Wanted(scan.file, scan.part_type, scan.closed, scan.composed) for scan in recording.scans)
        yield from (NotInspected(path, problem) for problem in recording.problems)


def inspect_image(wanted: Wanted, settings: Settings, recipes: Recipes) -> Inspected | NotInspected:
    """Judge one image by steps 2 to 5; there is no line clock, so it is never late."""
    return judge_read(wanted, read_image(wanted, recipes), settings, recipes)


def inspect_images(
    images: Sequence[Wanted | NotInspected], settings: Settings, recipes: Recipes, done: Tell = lambda _done, _all: None
) -> Iterator[Inspected | NotInspected]:
    """The same of many, in their order: while one is judged the next ones are read, on every core.

    Args:
        images: What there is, and what of it there is not.
        settings: The station's.
        recipes: What the images are judged by.
        done: Told after each how many there are done, and in all.
    """
    ahead: deque[Future[Pixels | StationError]] = deque()
    unread = (one for one in images if isinstance(one, Wanted))
    with ThreadPoolExecutor(usable_cores(), thread_name_prefix="read") as readers:
        for number, one in enumerate(images, 1):
            if isinstance(one, NotInspected):
                yield one
            else:
                more = islice(unread, usable_cores() + 1 - len(ahead))
                ahead.extend(readers.submit(read_image, wanted, recipes) for wanted in more)
                yield judge_read(one, ahead.popleft().result(), settings, recipes)
            done(number, len(images))


def read_image(wanted: Wanted, recipes: Recipes) -> Pixels | StationError:
    """The pixels of an image, or why there are none."""
    try:
        return read_scan(wanted.file, _lines(wanted, recipes))
    except StationError as error:
        return error


def decode_image(wanted: Wanted, content: bytes, recipes: Recipes) -> Pixels | StationError:
    """The pixels of an image whose content was read already, or why there are none."""
    try:
        return decoded_scan(wanted.file, content, _lines(wanted, recipes))
    except StationError as error:
        return error


def judge_read(
    wanted: Wanted, image: Pixels | StationError, settings: Settings, recipes: Recipes
) -> Inspected | NotInspected:
    """Judge an image that was read."""
    if isinstance(image, StationError):
        return NotInspected(wanted.file, image)
    try:
        recipe = _recipe(wanted, image, settings, recipes)
        blocks = blocks_of(image, recipe.rule.geometry)
        proofs = proofs_of(wanted, settings.turn)
        judge = SurfaceJudge(recipe.part_type, settings.crop, recipe.classifier, proofs, recipe.lighting)
        return _judge(wanted.file, image, blocks, judge, recipe, settings.camera.mm_per_px)
    except StationError as error:
        return NotInspected(wanted.file, error)


def _judge(
    file: Path,
    image: Pixels,
    blocks: tuple[Block, ...],
    judge: SurfaceJudge,
    recipe: Recipe,
    mm_per_px: float | None,
) -> Inspected | NotInspected:
    accountant = Accountant(recipe.rule.geometry)
    for block in blocks:
        accountant.take(block)
    scores, refused = [], None
    try:
        scores = [judge.take(block) for block in blocks]
    except PartError as error:
        refused = error
    account = judge.witnessed(accountant.close(0))
    fault, detail = account.fault, account.detail
    if fault is None and refused is not None:
        fault, detail = refused.fault, refused.detail
    decision = decide(scores, ScanHealth(fault, detail, 0.0), recipe.rule)
    defects = find_defects(decision, blocks, judge.roi, recipe, mm_per_px)
    return Inspected(file, decision, judge.roi, fault is None, image, recipe, defects, judge.light)


def _lines(wanted: Wanted, recipes: Recipes) -> frozenset[int]:
    """How many lines an image may have: those of a turn of each part that it may show."""
    return frozenset(recipe.rule.geometry.lines_per_turn for recipe in _candidates(wanted, recipes))


def _candidates(wanted: Wanted, recipes: Recipes) -> tuple[Recipe, ...]:
    """The recipe of the announced type; without one all."""
    announced = recipes.named(wanted.part_type) if wanted.part_type is not None else None
    return recipes.rows if announced is None else (announced,)


def _recipe(wanted: Wanted, image: Pixels, settings: Settings, recipes: Recipes) -> Recipe:
    """The announced type's recipe; without one that of the nearest width, of those that have so many lines a turn."""
    fitting = [one for one in _candidates(wanted, recipes) if one.rule.geometry.lines_per_turn == len(image)]
    if len(fitting) == 1:
        return fitting[0]
    types = [recipe.part_type for recipe in fitting]
    return fitting[types.index(kind_of(image, types, settings.crop))]


# ---------------------------------------------------------------------- the picture

EVIDENCE_COLOUR = (0, 255, 255)
EVIDENT = 0.5
"""Share of the most evidence above which it is outlined."""

GRID_COLUMNS = 4
CAPTION_PX, BORDER_PX, TITLE_PX = 26, 8, 48


def find_evidence(result: Inspected) -> Heat | None:
    """Evidence for the defect in the deciding patch, of its shape, see `models.evidence`; None where none was decided.

    Raises:
        ModelError: The network fails.
    """
    decision, rule = result.decision, result.recipe.rule
    if decision.algorithm1 is None or decision.algorithm1.passes or decision.deciding_patch is None:
        return None
    surface = _surfaces_of(result)[decision.deciding_patch]
    patch = _patch(_unwrapped(result), decision.deciding_patch, result)
    column = rule.outputs.surfaces.index(surface)
    network = result.recipe.classifier
    return evidence_map(
        lambda strip: network.in_full(strip).probabilities, patch, column, rule.geometry.patches_per_strip
    )


def draw(result: Inspected, evidence: Heat | None = None) -> Pixels:
    """The unwrapped surface beside its patches with their classes, the deciding one framed; (H, W, 3) uint8, BGR.

    Args:
        result: The judged image.
        evidence: Of the deciding patch; what has more than half of the most is outlined, the most is crossed.
    """
    strips = _unwrapped(result)
    surface, patches = _surface(result, strips), _patches(result, strips, evidence)
    height = max(surface.shape[0], patches.shape[0])
    sheet = np.full((height + TITLE_PX, surface.shape[1] + patches.shape[1] + 3 * BORDER_PX, 3), 24, np.uint8)
    sheet[TITLE_PX : TITLE_PX + surface.shape[0], BORDER_PX : BORDER_PX + surface.shape[1]] = surface
    left = surface.shape[1] + 2 * BORDER_PX
    sheet[TITLE_PX : TITLE_PX + patches.shape[0], left : left + patches.shape[1]] = patches
    decision = result.decision
    name = f"{result.file.resolve().parent.name}/{result.file.name}"
    title = f"{name}: {decision.verdict.name}, confidence {decision.confidence:.3f}"
    _write(sheet, title, (BORDER_PX, 22), (235, 235, 235), 0.6)
    if decision.fault is not None:
        _write(sheet, f"{decision.fault.code}: {decision.detail}", (BORDER_PX, 42), (120, 190, 255), 0.45)
    return sheet


def with_nearest(result: Inspected, sheet: Pixels) -> Pixels:
    """A picture of a result with what of the training comes nearest: to the patch that is unknown, or else decided.

    Raises:
        ModelError: The network fails.
    """
    decision, geometry = result.decision, result.recipe.rule.geometry
    unknown = decision.novelty is not None and decision.novelty.unknown
    patch = decision.novelty.patch if decision.novelty is not None and unknown else decision.deciding_patch
    if patch is None:
        return sheet
    number, column = divmod(patch, geometry.patches_per_strip)
    patches = range(number * geometry.patches_per_strip, (number + 1) * geometry.patches_per_strip)
    strips = _unwrapped(result)
    strip = np.stack([_patch(strips, one, result) for one in patches])
    return with_neighbours(sheet, nearest_known(result.recipe.classifier, strip, column), patch)


def _unwrapped(result: Inspected) -> Pixels:
    """The part's surface as its strips below each other, in the light that it was judged in."""
    geometry = result.recipe.rule.geometry
    roi = result.roi or Roi(0, result.image.shape[1])
    crop = np.ascontiguousarray(result.image[:, roi.left : roi.right])
    size = geometry.strip_shape[1], geometry.blocks_per_turn * geometry.patch_px
    strips = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
    return strips if result.light is None else multiplied(strips, gain_of(result.light, (1, *strips.shape)))


def _corner(patch: int, result: Inspected) -> tuple[int, int]:
    """Row and column of a patch's first pixel in the strips."""
    geometry = result.recipe.rule.geometry
    strip, column = divmod(patch, geometry.patches_per_strip)
    return strip * geometry.patch_px, column * geometry.patch_px


def _patch(strips: Pixels, patch: int, result: Inspected) -> Pixels:
    (y, x), size = _corner(patch, result), result.recipe.rule.geometry.patch_px
    return strips[y : y + size, x : x + size]


def _surfaces_of(result: Inspected) -> tuple[Verdict, ...]:
    """The class of each patch that was judged."""
    probabilities = result.decision.probabilities
    return surfaces_of(probabilities, result.recipe.rule.outputs) if len(probabilities) else ()


def _surface(result: Inspected, strips: Pixels) -> Pixels:
    small = cv2.cvtColor(cv2.resize(strips, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR)
    half = result.recipe.rule.geometry.patch_px // 2
    for patch, surface in enumerate(_surfaces_of(result)):
        top, left = (place // 2 for place in _corner(patch, result))
        deciding = patch == result.decision.deciding_patch
        if not surface.passes or deciding:
            corner = (left + half - 2, top + half - 2)
            cv2.rectangle(small, (left + 1, top + 1), corner, surface.bgr, 3 if deciding else 1)
    return np.asarray(small, np.uint8)


def _patches(result: Inspected, strips: Pixels, evidence: Heat | None) -> Pixels:
    geometry = result.recipe.rule.geometry
    size, cell = geometry.patch_px, geometry.patch_px + CAPTION_PX
    rows = -(-geometry.patches_per_part // GRID_COLUMNS)
    sheet = np.full((rows * cell, GRID_COLUMNS * (size + BORDER_PX), 3), 24, np.uint8)
    surfaces = _surfaces_of(result)
    for patch in range(geometry.patches_per_part):
        top, left = patch // GRID_COLUMNS * cell, patch % GRID_COLUMNS * (size + BORDER_PX)
        picture = np.asarray(cv2.cvtColor(_patch(strips, patch, result), cv2.COLOR_GRAY2BGR), np.uint8)
        if evidence is not None and patch == result.decision.deciding_patch:
            mark_evidence(picture, evidence)
        sheet[top + CAPTION_PX : top + cell, left : left + size] = picture
        _caption(sheet, result.decision, surfaces, patch, (top, left, size))
    return sheet


def mark_evidence(picture: Pixels, evidence: Heat) -> None:
    """Outline where most of the evidence lies, and cross its peak, in a picture (height, width, 3) of its shape."""
    region = (evidence > EVIDENT).astype(np.uint8)
    outlines, _tree = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, EVIDENCE_COLOUR, 1)
    row, column = peak(evidence)
    cv2.drawMarker(picture, (column, row), EVIDENCE_COLOUR, cv2.MARKER_CROSS, 13, 1)


def _caption(
    sheet: Pixels, decision: Decision, surfaces: tuple[Verdict, ...], patch: int, where: tuple[int, int, int]
) -> None:
    top, left, size = where
    if patch >= len(decision.probabilities):
        _write(sheet, f"{patch + 1}  not judged", (left + 2, top + 18), (160, 160, 160), 0.45)
        return
    row = decision.probabilities[patch]
    colour = surfaces[patch].bgr
    _write(sheet, f"{patch + 1}  {surfaces[patch].name} {row.max():.3f}", (left + 2, top + 18), colour, 0.45)
    if patch == decision.deciding_patch:
        corner = (left + size - 1, top + CAPTION_PX + size - 1)
        cv2.rectangle(sheet, (left, top + CAPTION_PX), corner, colour, 4)


def _write(sheet: Pixels, text: str, at: tuple[int, int], colour: tuple[int, int, int], size: float) -> None:
    ascii_text = text.encode("ascii", "replace").decode()
    cv2.putText(sheet, ascii_text, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)


class PictureFolder:
    """Writes the pictures of one inspection, each under a name of its own.

    A picture is called after its image and the verdict, `a.pits.png`; a later image of the same name, from another
    folder or in another format, becomes `a~2`, `a~3` …

    Args:
        folder: Where they go; it is made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: set[str] = set()

    def save(self, result: Inspected) -> Path:
        """Write the picture of one result, with the evidence for its defect, as PNG; where it lies.

        Raises:
            ConfigError: The folder cannot be written to.
            ModelError: The network fails.
        """
        picture = with_nearest(result, draw(result, find_evidence(result)))
        target = self._folder / f"{self._unused(result.file.stem)}.{result.decision.verdict.name}.png"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _done, encoded = cv2.imencode(".png", picture)
            target.write_bytes(encoded.tobytes())
        except OSError as error:
            raise ConfigError("config.file_failed", f"--picture {target}: {error.strerror}") from error
        return target

    def _unused(self, stem: str) -> str:
        names = (stem if times == 1 else f"{stem}~{times}" for times in counted(1))
        name = next(name for name in names if name.lower() not in self._taken)
        self._taken.add(name.lower())
        return name
