"""Writes a benchmark down: a document for programs, a picture for people."""

from collections.abc import Sequence
from pathlib import Path

from models.benchmark.document import Benchmark
from models.benchmark.picture import draw
from models.training.checkpoint import write_whole

DOCUMENT, PICTURE = "benchmark.json", "benchmark.png"


def write_benchmark(folder: Path, benchmark: Benchmark) -> Sequence[Path]:
    """Write a benchmark as JSON and as a picture into a folder; where they lie.

    Raises:
        TrainingError: The disk does not take them.
    """
    document, picture = folder / DOCUMENT, folder / PICTURE
    write_whole(document, benchmark.model_dump_json(indent=2).encode())
    write_whole(picture, draw(benchmark))
    return document, picture
