"""One bundle on one engine, in a process of its own: time of an image, memory, and what it answers.

Called as `python -m models.benchmark.probe BUNDLE ENGINE PRECISION IMAGES ANSWERS`. IMAGES is an .npy of uint8 (n,
height, width), ANSWERS becomes one of float32 (n, classes); on standard output comes a line of JSON.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import TypedDict, cast

import numpy as np

from models.engines import make_engine
from models.manifest import load_bundle
from station.core.choices import EngineName, Precision
from station.core.errors import ModelError
from station.core.settings import ModelSettings

LEAST_TIMES = 60


class Told(TypedDict):
    """What a probe says: times in s, memory in bytes; or why the engine does not run."""

    times_s: list[float]
    memory_bytes: int
    problem: str


def probe(folder: Path, engine: EngineName, precision: Precision, images: Path, answers: Path) -> Told:
    """Measure, and write the answers."""
    patches = np.load(images)
    before = _largest_bytes()
    try:
        settings = ModelSettings(bundle="probe-1", engine=engine, precision=precision)
        network = make_engine(load_bundle(folder), settings)
        network.warm_up()
    except ModelError as error:
        return Told(times_s=[], memory_bytes=0, problem=error.detail or str(error))
    found, times = [], list[float]()
    for number in range(max(len(patches), LEAST_TIMES)):
        image = patches[number % len(patches)][None]
        began = time.perf_counter()
        answer = network.answer(image)
        times.append(time.perf_counter() - began)
        if number < len(patches):
            found.append(answer.probabilities[0])
    np.save(answers, np.stack(found))
    return Told(times_s=times, memory_bytes=max(0, _largest_bytes() - before), problem="")


def _largest_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    _bundle, _engine, _precision, _images, _answers = sys.argv[1:]
    _told = probe(Path(_bundle), cast(EngineName, _engine), cast(Precision, _precision), Path(_images), Path(_answers))
    print(json.dumps(_told))  # noqa: T201 - this is how it answers
