"""Trains a detector on scenes, tries it on others, and writes both down. Needs torch."""

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.detector.document import DOCUMENT, GRAPH, DetectorDocument, Tried
from models.detector.layout import SIDE_PX, Laid, Place, overlap, places_of
from models.detector.network import DetectorNetwork, loss_of
from models.detector.scenes import Scene, scene
from models.errors import TrainingError
from models.evaluation.figures.rates import rate
from models.manifest import utc_now
from models.release.graphs import OPSET
from models.release.new_folder import new_folder
from models.version import code_version
from station.core.part import Pixels

BATCH, RATE, DECAY = 16, 2e-3, 1e-4
RIGHT_OVERLAP = 0.5
"""A place is right from this share of both boxes' union on."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a detector is trained.

    Attributes:
        steps: Of `BATCH` scenes each, all of them new.
        tried: Scenes that it is tried on afterwards, of products that it was not trained on.
        least: From which heat on it says that there is a product.
        seed: Of weights and scenes.
    """

    steps: int = 800
    tried: int = 400
    least: float = 0.4
    seed: int = 1


def train_detector(
    folder: Path,
    products: Sequence[Pixels],
    grounds: Sequence[Pixels],
    course: Course,
    tell: Callable[[str], None] = lambda _text: None,
) -> DetectorDocument:
    """Train, try, and write a detector's folder; minutes. Every fifth product and ground is kept to try it on.

    Raises:
        TrainingError: There are too few pictures of products, or the loss is no number.
        ModelError: The folder is there already.
    """
    if len(products) < 10:
        told = f"{len(products)} pictures of products; a detector wants ten at least, and better hundreds"
        raise TrainingError("training.bad_data", told)
    learnt, kept = _parted(products)
    grounds_learnt, grounds_kept = _parted(grounds)
    torch.manual_seed(course.seed)
    network = DetectorNetwork()
    with new_folder(folder) as staged:
        _train(network, learnt, grounds_learnt, course, tell)
        tried = _try(network, kept, grounds_kept or grounds_learnt, course)
        (staged / GRAPH).write_bytes(_exported(network))
        document = DetectorDocument(
            created=utc_now(),
            code_version=code_version(),
            sha256=hashlib.sha256((staged / GRAPH).read_bytes()).hexdigest(),
            least=course.least,
            products=len(learnt),
            grounds=len(grounds_learnt),
            steps=course.steps,
            seed=course.seed,
            tried=tried,
        )
        (staged / DOCUMENT).write_text(document.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return document


def _parted(pictures: Sequence[Pixels]) -> tuple[list[Pixels], list[Pixels]]:
    return [one for number, one in enumerate(pictures) if number % 5], list(pictures[::5])


def _train(
    network: DetectorNetwork,
    products: Sequence[Pixels],
    grounds: Sequence[Pixels],
    course: Course,
    tell: Callable[[str], None],
) -> None:
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=course.steps)
    network.train()
    for step in range(course.steps):
        rng = np.random.default_rng([course.seed, step])
        scenes = [scene(products, grounds, rng) for _ in range(BATCH)]
        loss = loss_of(network.logits(_stacked(scenes)), scenes)
        if not bool(torch.isfinite(loss)):
            raise TrainingError("training.diverged", f"step {step} of the detector")
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        if (step + 1) % 100 == 0:
            tell(f"step {step + 1} of {course.steps}, loss {float(loss.detach()):.3f}")


def _stacked(scenes: Sequence[Scene]) -> torch.Tensor:
    return torch.from_numpy(np.stack([one.pixels for one in scenes]))


def _try(network: DetectorNetwork, products: Sequence[Pixels], grounds: Sequence[Pixels], course: Course) -> Tried:
    """What it finds in scenes of products that it was not trained on."""
    rng = np.random.default_rng([course.seed, course.steps, 1])
    network.eval()
    empty, missed, extra, counted = [], 0, 0, 0
    with torch.inference_mode():
        for _ in range(course.tried):
            one = scene(products, grounds, rng)
            heat, sides = (value[0].numpy() for value in network(_stacked([one])))
            laid = Laid(one.pixels, 1.0, 0, 0)
            places = places_of(heat, sides, course.least, laid, (SIDE_PX, SIDE_PX))
            right = _right(places, one.boxes)
            if not len(one.boxes):
                empty.append(bool(places))
            missed, extra, counted = (
                missed + len(one.boxes) - right,
                extra + len(places) - right,
                counted + len(one.boxes),
            )
    return Tried(
        scenes=course.tried,
        found=rate(counted - missed, counted),
        called_in_empty=rate(sum(empty), len(empty)),
        places_too_many=extra,
    )


def _right(places: Sequence[Place], boxes: NDArray[np.float64]) -> int:
    """How many of the boxes one place each covers well enough."""
    left = [np.array([place.top, place.left, place.bottom, place.right], np.float64) for place in places]
    right = 0
    for box in boxes:
        best = max(range(len(left)), key=lambda number: overlap(box, left[number]), default=None)
        if best is not None and overlap(box, left[best]) >= RIGHT_OVERLAP:
            right += 1
            left.pop(best)
    return right


def _exported(network: DetectorNetwork) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own ways
        program = torch.onnx.export(
            network.eval(), (torch.zeros(1, SIDE_PX, SIDE_PX, dtype=torch.uint8),), input_names=["picture"],
            output_names=["heat", "sides"], opset_version=OPSET, dynamo=True, verbose=False,
        )  # fmt: skip
    if program is None:
        raise TrainingError("training.bad_weights", "the exporter made nothing of the detector")
    return bytes(program.model_proto.SerializeToString())
