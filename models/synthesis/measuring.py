"""Generators of one class compared: how far what they draw lies from what was taken, and from copies of it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.dataset.store import DataSet
from models.errors import TrainingError
from models.synthesis.frechet import Distance, Nearest, distance, nearest
from models.synthesis.gan_images import originals_for
from models.synthesis.gan_run import Learnt
from models.synthesis.seen import Eye, see
from models.synthesis.sheet import draw_sheet

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Generator:
    """What one draws.

    Attributes:
        distance: To the pictures that were taken.
        nearest: What each drawn picture is nearest to.
        drawn: (n, px, px) uint8.
    """

    distance: Distance
    nearest: Nearest
    drawn: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of them.

    Attributes:
        of: The class, or the classes.
        eye: Who looked.
        among: From one half of the taken pictures to the other: what no generator can be asked to undercut.
        taken: (n, px, px) uint8, those that were compared with.
        generators: By their folders.
    """

    of: str
    eye: Eye
    among: Distance
    taken: NDArray[np.uint8]
    generators: Mapping[str, Generator]

    def told(self) -> Iterator[str]:
        """As people read it."""
        yield f"{self.of}: seen by {self.eye}"
        yield f"{'taken, half to half':>32} {_in_words(self.among)}"
        for name, one in self.generators.items():
            copies = f"{one.nearest.copies} of {len(one.drawn)} copies of a taken picture"
            yield f"{name:>32} {_in_words(one.distance)}; {copies}"

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        generators = {
            name: asdict(one.distance) | {"drawn": len(one.drawn), "copies": one.nearest.copies}
            for name, one in self.generators.items()
        }
        return {"of": self.of, "seen_by": str(self.eye), "among": asdict(self.among), "generators": generators}


def _in_words(one: Distance) -> str:
    return f"{one.value:9.3f} ({one.lower:.3f} to {one.upper:.3f}), {one.pictures} pictures of each"


def measure_generators(
    learnt: Mapping[str, Learnt], data: DataSet, weights: Path, count: int | None, seed: int
) -> Comparison:
    """Compare what generators draw with the pictures of their class that train.

    Args:
        learnt: By their folders; of the same classes and size.
        data: The data set.
        weights: Of the network that looks.
        count: Pictures of each; None for as many as were taken.
        seed: Of what is drawn.

    Raises:
        TrainingError: They are of different classes or sizes, or too few pictures were taken.
    """
    plans = [one.plan for one in learnt.values()]
    if len({(plan.classes, plan.px) for plan in plans}) > 1:
        told = "; ".join(f"{name}: {', '.join(one.plan.classes)} of {one.plan.px} px" for name, one in learnt.items())
        raise TrainingError("training.bad_plan", f"only generators of one class and size can be compared: {told}")
    rng = np.random.default_rng(seed)
    images = originals_for(data, plans[0]).images
    taken = images[rng.permutation(len(images))[:count]]
    drawn = {name: one.draw(len(taken), seed) for name, one in learnt.items()}
    eye, (own, *others) = see(weights, [taken, *drawn.values()])
    half = len(own) // 2
    generators = {
        name: Generator(distance(own, features, seed), nearest(features, own), drawn[name])
        for name, features in zip(drawn, others, strict=True)
    }
    among = distance(own[:half], own[half:], seed)
    return Comparison(", ".join(plans[0].classes), eye, among, taken, generators)


def draw_nearest(path: Path, measured: Comparison) -> None:
    """Write a picture: for each generator what it drew, and beside it the nearest taken picture of each.

    Raises:
        DatasetError: It cannot be written.
    """
    rows = {
        name: (list(measured.taken[one.nearest.taken[:SHOWN]]), list(one.drawn[:SHOWN]))
        for name, one in measured.generators.items()
    }
    draw_sheet(path, rows)
