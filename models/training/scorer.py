"""A checkpoint as a `Scorer`. Needs torch: for measuring a network before it is exported."""

import hashlib
from pathlib import Path

import numpy as np
import torch

from models.evaluation.measuring.scorers import Scored
from models.training.checkpoint import load_network
from station.core.errors import ModelError
from station.core.geometry import Geometry
from station.core.part import Pixels, Probabilities
from station.core.probabilities import problem_of
from station.core.promise import Promise

BATCH = 32


class CheckpointScorer:
    """The network of a checkpoint, in float32 on the CPU, at temperature 1.

    Args:
        path: The checkpoint.
        threads: Threads of torch; 0 for all cores.

    Raises:
        TrainingError: The checkpoint cannot be used.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self._network, info = load_network(path)
        self._network.to(memory_format=torch.channels_last)
        self._shape = (info.data.height, info.data.width)
        self._classes = info.classes
        self._geometry = info.data.geometry
        self._name = f"{info.network} {path.name}@{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
        if threads:
            torch.set_num_threads(threads)

    @property
    def name(self) -> str:
        """Network, file, and the first twelve digits of the file's SHA-256."""
        return self._name

    @property
    def classes(self) -> tuple[str, ...]:
        """Meaning of the columns of an answer."""
        return self._classes

    @property
    def geometry(self) -> Geometry | None:
        """What it takes, and from what scan that is cut; None where its data set did not tell."""
        return self._geometry

    @property
    def image_shape(self) -> tuple[int, int]:
        """Height and width of the images that it was trained on."""
        return self._shape

    @property
    def known(self) -> None:
        """A checkpoint does not tell what it was trained on."""

    @property
    def light_level(self) -> None:
        """Nor how bright that was."""

    @property
    def promises(self) -> dict[str, Promise]:
        """Of a checkpoint nothing is promised."""
        return {}

    def score(self, images: Pixels) -> Probabilities:
        """Probabilities (n, classes) of images of the size that the network was trained on.

        Raises:
            ModelError: The images are of another size, or an answer is no set of probabilities.
        """
        if images.shape[1:] != self._shape:
            raise ModelError("config.bad_option", f"the images are {images.shape[1:]}, the network takes {self._shape}")
        answers = [self._batch(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        return np.concatenate([np.zeros((0, len(self._classes)), np.float32), *answers])

    def in_full(self, images: Pixels) -> Probabilities:
        """The same: a checkpoint has no screener.

        Raises:
            ModelError: As `score`.
        """
        return self.score(images)

    def answer(self, images: Pixels) -> Scored:
        """The same; how unlike its training they are a checkpoint does not tell.

        Raises:
            ModelError: The images are of another size, or an answer is no set of probabilities.
        """
        return Scored(self.score(images), None)

    def _batch(self, images: Pixels) -> Probabilities:
        with torch.inference_mode():
            grey = torch.from_numpy(np.array(images, np.float32) / np.float32(255))[:, None]
            answer = torch.softmax(self._network(grey.to(memory_format=torch.channels_last)).float(), dim=1).numpy()
        if problem := problem_of(answer):
            raise ModelError("model.bad_scores", problem)
        return np.asarray(answer, np.float32)
