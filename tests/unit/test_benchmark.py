"""What a benchmark says of networks: which is fastest where, and which none beats."""

from pathlib import Path

import pytest

from models.evaluation.figures.rates import rate
from models.manifest import utc_now

pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")

from models.benchmark.document import Benchmark, EngineRun, Measured
from models.benchmark.writing import DOCUMENT, PICTURE, write_benchmark
from station.core.choices import EngineName, Precision

pytestmark = pytest.mark.training


def run(engine: EngineName, precision: Precision, ms: float, changed: int = 0) -> EngineRun:
    return EngineRun(
        engine=engine, precision=precision, ms=ms, least_ms=ms, memory_mb=1, size_mb=1, images=64, changed=changed,
        largest_difference=0.1,
    )  # fmt: skip


def network(name: str, right: int, *runs: EngineRun) -> Measured:
    return Measured(
        network=name, trainable_parameters=1, judged="images", crossvalidated=False, accuracy=rate(right, 100),
        macro_f1=0.5, macro_auc=None, training_s=60, runs=runs, not_run=(),
    )  # fmt: skip


def benchmark(*networks: Measured) -> Benchmark:
    return Benchmark(
        created=utc_now(), computer="2 cores", data_sha256="a" * 64, data_source="noise", image=(64, 64),
        networks=networks,
    )  # fmt: skip


def test_the_fastest_engine_is_one_that_decides_no_image_otherwise_where_there_is_one() -> None:
    runs = run("openvino", "int8", 1.0, changed=3), run("openvino", "f32", 4.0), run("onnxruntime", "f32", 3.0)
    fastest = network("a", 90, *runs).fastest
    assert fastest is not None
    assert (fastest.engine, fastest.ms) == ("onnxruntime", 3.0)
    changed = network("b", 90, runs[0], run("openvino", "f32", 2.0, changed=1)).fastest
    assert changed is not None
    assert changed.ms == 1.0
    assert network("c", 90).fastest is None


def test_worth_choosing_is_what_none_beats_in_both() -> None:
    rows = (
        network("large", 99, run("openvino", "f32", 9.0)),
        network("beaten", 90, run("openvino", "f32", 5.0)),
        network("small", 90, run("openvino", "f32", 2.0)),
        network("equal", 90, run("openvino", "f32", 2.0)),
        network("nowhere", 100),
    )
    assert benchmark(*rows).worth_choosing() == ("small", "equal", "large")


def test_a_document_and_a_picture_are_left(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib draws the picture")
    made = benchmark(network("a", 95, run("openvino", "f32", 3.0)), network("b", 90, run("openvino", "int8", 1.0)))
    assert [path.name for path in write_benchmark(tmp_path, made)] == [DOCUMENT, PICTURE]
    assert Benchmark.model_validate_json((tmp_path / DOCUMENT).read_bytes()) == made
    assert (tmp_path / PICTURE).read_bytes().startswith(b"\x89PNG")
