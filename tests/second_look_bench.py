"""What a second look saves and costs on a recording: `python -m tests.second_look_bench FOLDER [PARTS] [LEAST…]`.

Every part is judged by the shipped configuration, with each LEAST in place of its `decision.min_confidence` where any
is given. One whose judgement is unsure is exposed once more: the same surface with other noise, a row later and a shade
brighter or darker, as a lamp and an index pulse are from turn to turn. What a real part shows otherwise in its second
turn, this does not tell.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from config import bundled
from station.cell.judging import SurfaceJudge
from station.core.errors import PartError
from station.core.looks import unsure, weighed
from station.core.part import Decision, Pixels, ScanHealth, Scores
from station.core.recipe import Recipe
from station.core.recording import read_recording
from station.core.settings import Settings, load_settings
from station.flow.acquire import Accountant
from station.flow.decide import decide
from station.flow.patch import blocks_of
from station.host.recipes import make_recipes

NOISE, SHADE, ROWS = 1.5, 0.01, 1
"""Grey values; standard deviation of the lamp from turn to turn; rows by which the index pulse differs at the most."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One part: what it is, what its first look decided, and what both came to."""

    label: str
    first: Decision
    both: Decision
    turned: bool


def looked(folder: Path, parts: int | None, leasts: Sequence[float]) -> Iterator[dict[float, Looked]]:
    """Every part of a recording, looked at as often as each least confidence takes."""
    settings = load_settings(bundled("simulate.toml"))
    recipes = make_recipes(settings)
    recording = read_recording(folder, frozenset(settings.part_types), settings.table.names)
    for number, scan in enumerate(recording.scans[:parts]):
        recipe = recipes.named(scan.part_type or "")
        if recipe is not None and scan.label is not None:
            image = np.asarray(cv2.imread(str(scan.file), cv2.IMREAD_GRAYSCALE), np.uint8)
            judging = Judging(image, recipe, settings, np.random.default_rng(number))
            yield {least: judging.looked(scan.label, least) for least in leasts or (recipe.rule.min_confidence,)}


class Judging:
    """One part, exposed once, and once more where any least confidence asks for that."""

    def __init__(self, image: Pixels, recipe: Recipe, settings: Settings, rng: np.random.Generator) -> None:
        self._recipe = recipe
        self._first = seen(image, recipe, settings)
        self._anew = lambda: seen(exposed_anew(image, rng), recipe, settings)
        self._second: tuple[list[Scores], ScanHealth] | None = None

    def looked(self, label: str, least: float) -> Looked:
        """What it comes to with a least confidence."""
        rule = replace(self._recipe.rule, min_confidence=least)
        first = decide(*self._first, rule)
        if unsure(first) is None:
            return Looked(label, first, first, turned=False)
        self._second = self._second or self._anew()
        return Looked(
            label, first, weighed(first, decide(*self._second, rule), rule.review, rule.least_to_pass), turned=True
        )


def exposed_anew(image: Pixels, rng: np.random.Generator) -> Pixels:
    """The same surface in another turn."""
    shade, rows = rng.normal(1, SHADE), int(rng.integers(-ROWS, ROWS, endpoint=True))
    seen = np.roll(image, rows, axis=0) * np.float32(shade) + rng.normal(0, NOISE, image.shape).astype(np.float32)
    return np.asarray(np.rint(seen).clip(0, 255), np.uint8)


def seen(image: Pixels, recipe: Recipe, settings: Settings) -> tuple[list[Scores], ScanHealth]:
    """What a scan scores, and whether it is a good one."""
    judge = SurfaceJudge(recipe.part_type, settings.crop, recipe.classifier, settings.turn, recipe.lighting)
    accountant, scores, fault, detail = Accountant(recipe.rule.geometry), list[Scores](), None, ""
    try:
        for block in blocks_of(image, recipe.rule.geometry):
            accountant.take(block)
            scores.append(judge.take(block))
    except PartError as error:
        fault, detail = error.fault, error.detail
    account = judge.witnessed(accountant.close(0)) if fault is None else None
    if account is not None and account.fault is not None:
        fault, detail = account.fault, account.detail
    return scores, ScanHealth(fault, detail, 0.0)


def counted(parts: list[Looked]) -> dict[str, object]:
    """The figures, before and with second looks."""
    good, told = [part.label == "defect_free" for part in parts], {}
    for name, decisions in (("once", [part.first for part in parts]), ("twice", [part.both for part in parts])):
        told[name] = {
            "good to review": sum(fine and one.verdict.is_review for fine, one in zip(good, decisions, strict=True)),
            "review": sum(one.verdict.is_review for one in decisions),
            "overkill": sum(fine and one.verdict.is_defect for fine, one in zip(good, decisions, strict=True)),
            "escapes": sum(one.verdict.passes and not fine for fine, one in zip(good, decisions, strict=True)),
        }
    turned = [part for part in parts if part.turned]
    added = sum(
        not part.first.verdict.passes and part.both.verdict.passes and part.label != "defect_free" for part in turned
    )
    ends = Counter(f"{_why(part)} > {part.both.verdict.name}" for part in turned)
    return {"parts": len(parts), "turned": len(turned), **told, "escapes added": added, "ends": dict(ends)}


def _why(part: Looked) -> str:
    return part.first.fault.code if part.first.fault is not None else "rules differ"


def main(folder: str, parts: str = "0", *leasts: str) -> None:
    """Print the figures, by least confidence; after every hundred parts those so far. 0 parts are all."""
    found: dict[float, list[Looked]] = {}
    for number, row in enumerate(looked(Path(folder), int(parts) or None, [float(least) for least in leasts]), 1):
        for least, one in row.items():
            found.setdefault(least, []).append(one)
        if number % 100 == 0:
            sys.stderr.write(f"{json.dumps({least: counted(rows) for least, rows in found.items()})}\n")
    sys.stdout.write(json.dumps({least: counted(rows) for least, rows in found.items()}, indent=2) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
