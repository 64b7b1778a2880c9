"""`station model curve` on tiny parts: what it leaves, that it goes on, and what it refuses."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from models.errors import TrainingError
from station.cli.model import model_app
from tests.tiny_parts import CLASSES, PATCHES, make_parts

QUICK = (
    "--network", "sca-cnn", "--epochs", 1, "--items-per-epoch", 8, "--batch", 8, "--threads", 1, "--device", "cpu",
)  # fmt: skip


def curve(data: Path, out: Path, *words: object) -> Result:
    given = ("curve", "--data", data, "--out", out, *QUICK, *words)
    return CliRunner().invoke(model_app, [str(word) for word in given])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_parts(tmp_path_factory.mktemp("made") / "data").folder


def test_a_missing_extra_is_told_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.cli.model_train.find_spec", lambda _name: None)
    refused = curve(tmp_path, tmp_path / "out")
    assert refused.exit_code == 2
    assert "requirements/train.txt" in refused.output


@pytest.mark.training
def test_a_curve_goes_on_after_an_interruption_and_takes_further_sizes(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")
    out = tmp_path / "curve"
    with monkeypatch.context() as interrupted:
        interrupted.setattr("station.cli.model_train.interrupts", lambda: lambda: True)
        assert curve(data, out, "--sizes", "3,6").exit_code == 1
    assert not (out / "curve.json").exists()
    first = curve(data, out, "--sizes", "3,6")
    assert first.exit_code == 0, first.output
    assert "2 sizes are too few for a curve" in first.output
    more = curve(data, out, "--sizes", "3,6,9,12", "--expect", 49)
    assert more.exit_code == 0, more.output
    assert "parts-6/sca-cnn/whole: sca-cnn is done" in more.output
    assert "nothing is said so far out" in more.output or "constant" in more.output
    traced = json.loads((out / "curve.json").read_text())
    assert [point["parts"] for point in traced["points"]] == [3, 6, 9, 12]
    assert [point["images"] for point in traced["points"]] == [PATCHES * size for size in (3, 6, 9, 12)]
    assert {point["errors"]["trials"] for point in traced["points"]} == {len(CLASSES)}
    assert traced["judged"] == "parts"
    assert len((out / "curve.csv").read_text().splitlines()) == 5
    assert (out / "curve.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.training
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--sizes", "2,6"), "training.bad_plan"),
        (("--sizes", "6,13"), "training.bad_data"),
        (("--sizes", "six"), "training.bad_plan"),
        (("--sizes", "3,6", "--network", "perceptron"), "training.bad_plan"),
    ],
)
def test_what_cannot_be_traced_is_refused_before_anything_is_trained(
    data: Path, tmp_path: Path, words: tuple[str, ...], code: str
) -> None:
    pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")
    refused = curve(data, tmp_path / "curve", *words)
    assert isinstance(refused.exception, TrainingError), refused.output
    assert refused.exception.code == code
    assert not list(tmp_path.rglob("*.pt"))
