"""Trainings: an interrupted one ends like an uninterrupted one, and what cannot be trained is refused unharmed."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")
for extra in ("timm", "tensorboard", "matplotlib"):
    pytest.importorskip(extra, reason=f"{extra} is an extra of training (make test-training)")

from models.errors import TrainingError  # noqa: E402
from models.training import checkpoint, layout  # noqa: E402 - after the check for torch
from models.training.checkpoint import load_network, read_checkpoint, write_checkpoint, write_whole  # noqa: E402
from models.training.compute import translated  # noqa: E402
from models.training.curves import Row  # noqa: E402
from models.training.data import DataOrigin, TrainingData, validation_items  # noqa: E402
from models.training.plan import Plan, make_plan  # noqa: E402
from models.training.start import begin  # noqa: E402
from models.training.trainer import Training  # noqa: E402

pytestmark = pytest.mark.training

CLASSES = ("defect_free", "imprinted", "pits", "roll_marks", "scratches")
CPU = torch.device("cpu")


class Silence:
    """Watches a training and shows nothing."""

    def begin(self, epoch: int, epochs: int, steps_done: int, steps: int) -> None: ...

    def step(self, steps_done: int, loss: float) -> None: ...

    def end(self, row: Row, *, best: bool) -> None: ...


def data(size: int = 64, sha256: str = "ab" * 32) -> TrainingData:
    """Noise, whose classes differ in brightness."""
    labels = np.array([0] * 16 + [1, 2, 3, 4] * 4, np.int16)
    noise = np.random.default_rng(1).integers(0, 60, (32, size, size)) + 40 * labels[:, None, None]
    origin = DataOrigin(sha256, "noise", CLASSES, CLASSES[0], None, size, size, 32, 32)
    return TrainingData(noise.astype(np.uint8), labels, np.arange(32), np.arange(0, 32, 2), origin)


def plan(**choices: object) -> Plan:
    return make_plan(**{"network": "sca-cnn", "phases": [{"epochs": 2}], "batch": 8, **choices})


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def after(steps: int) -> Callable[[], bool]:
    """Says to stop when it was asked so often."""
    asked: list[None] = []

    def stop() -> bool:
        asked.append(None)
        return len(asked) > steps

    return stop


def train_in_pieces(folder: Path, chosen: Plan, size: int, steps: int) -> tuple[Training, int]:
    """Train, and be killed every few steps."""
    for pieces in range(1, 40):
        training = begin(chosen, data(size), folder, CPU, keep_every_s=1e9)
        if training.run(Silence(), after(steps)):
            return training, pieces
    raise AssertionError("never done")


@pytest.mark.parametrize(
    ("choices", "size"),
    [
        ({}, 64),
        ({"network": "inception-cnn", "items_per_epoch": 16}, 128),
        ({"network": "mobilenet-v2", "items_per_epoch": 8, "batch": 4, "draw": "whole"}, 64),
        ({"optimiser": "adam", "weight_decay": 0.0, "l2": 0.01, "clip": 0.0, "precision": "f32"}, 64),
        ({"network": "condensenet-v2-a", "items_per_epoch": 16, "phases": [{"epochs": 3}]}, 64),
        (
            {
                "network": "cbam-cnn",
                "phases": [{"epochs": 4, "schedule": "plateau", "plateau": 1, "peak_rate": 0.3}],
                "dropout": 0.3,
            },
            64,
        ),
        ({"augmentation": ("rotate", "shift", "erase", "noise"), "loss": "plain", "initial": "keras"}, 64),
        (
            {
                "network": "cbam-cnn",
                "phases": [{"epochs": 3, "patience": 1, "peak_rate": 0.3, "schedule": "constant"}, {"epochs": 1}],
            },
            64,
        ),
    ],
)
def test_an_interrupted_training_ends_with_the_same_weights(
    tmp_path: Path, choices: dict[str, object], size: int
) -> None:
    chosen = plan(**choices)
    folders = tmp_path / "whole", tmp_path / "pieces"
    for folder in folders:
        folder.mkdir()
    whole = begin(chosen, data(size), folders[0], CPU)
    assert whole.run(Silence())
    pieced, pieces = train_in_pieces(folders[1], chosen, size, 3)
    assert pieces >= 2
    assert [row.loss for row in pieced.history] == [row.loss for row in whole.history]
    for name in (checkpoint.BEST, checkpoint.LAST):
        one, other = (read_checkpoint(folder / name) for folder in folders)
        for layer, value in one["state"].items():
            assert torch.equal(value, other["state"][layer]), (name, layer)


def test_a_killed_process_loses_only_the_steps_since_the_last_checkpoint(tmp_path: Path) -> None:
    class Killed(Exception):  # noqa: N818 - no error, an end
        pass

    def kill_after(steps: int) -> Callable[[], bool]:
        stop = after(steps)

        def killed() -> bool:
            if stop():
                raise Killed
            return False

        return killed

    folders = tmp_path / "whole", tmp_path / "killed"
    for folder in folders:
        folder.mkdir()
    whole = begin(plan(), data(), folders[0], CPU)
    whole.run(Silence())
    with pytest.raises(Killed):
        begin(plan(), data(), folders[1], CPU, keep_every_s=0).run(Silence(), kill_after(3))
    again = begin(plan(), data(), folders[1], CPU)
    assert again.position.step == 2
    assert again.run(Silence())
    for layer, value in whole.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[layer]), layer


def test_training_learns_and_leaves_curves_and_checkpoints(tmp_path: Path) -> None:
    training = begin(plan(phases=[{"epochs": 8, "peak_rate": 3e-3}], augmentation=()), data(), tmp_path, CPU)
    training.run(Silence())
    assert training.history[-1].loss < 0.9 * training.history[0].loss
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"plan.json", "last.pt", "best.pt", "curves.csv", "curves.png", "tensorboard"}
    assert len((tmp_path / "curves.csv").read_text().splitlines()) == 9
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert list((tmp_path / "tensorboard").iterdir())
    network, info = load_network(tmp_path / "best.pt")
    lowest = min(training.history, key=lambda row: row.validation_loss)
    assert not network.training
    assert (info.classes, info.epochs_done, info.data.sha256) == (CLASSES, lowest.epoch, "ab" * 32)
    assert info.validation["validation_loss"] == lowest.validation_loss
    assert read_checkpoint(tmp_path / "best.pt")["parts"] == 32


def test_a_training_that_does_not_gain_stops_early(tmp_path: Path) -> None:
    frozen = {"epochs": 9, "patience": 2, "peak_rate": 1e-12, "schedule": "constant", "unfrozen_share": 0.0}
    training = begin(plan(phases=[frozen], items_per_epoch=8, init="cd" * 32), data(), tmp_path, CPU)
    assert training.run(Silence())
    assert len(training.history) < 9


def test_frozen_layers_keep_their_weights_and_statistics(tmp_path: Path) -> None:
    phases = [{"epochs": 1, "unfrozen_share": 0.0}, {"epochs": 1, "unfrozen_share": 0.25}]
    chosen = plan(network="mobilenet-v2", phases=phases, items_per_epoch=8, init="cd" * 32)
    training = begin(chosen, data(), tmp_path, CPU)
    before = {name: value.clone() for name, value in training.network.state_dict().items()}
    training.run(Silence(), after(1))
    assert len(training.history) == 1
    changed = {name for name, value in training.network.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(name.startswith("head.") for name in changed)
    training.run(Silence())
    assert training.finished
    changed = {name for name, value in training.network.state_dict().items() if not torch.equal(value, before[name])}
    assert any(name.startswith("features.1.conv_head") for name in changed)
    assert not any(name.startswith("features.1.conv_stem") for name in changed)


def test_the_papers_penalty_is_the_gradient_of_the_sum_of_squares() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(8, 2))
    images = torch.rand(3, 1, 4, 4)
    network(images).sum().backward()
    plain = network[0].weight.grad.clone()
    layout.add_penalty(layout.kernels(network, "convolutions"), 0.01)
    added = network[0].weight.grad - plain
    weight = network[0].weight.detach().clone().requires_grad_()
    (0.01 * weight.square().sum()).backward()
    assert torch.allclose(added, weight.grad, atol=1e-6)
    assert len(layout.kernels(network, "convolutions")) == 1
    assert len(layout.kernels(network, "all")) == 2


def test_weight_decay_is_for_kernels_and_matrices_only(tmp_path: Path) -> None:
    training = begin(plan(network="inception-cnn"), data(128), tmp_path, CPU)
    decayed, free = layout.make_optimiser(training.plan, training.plan.phases[0], training.network).param_groups
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.01, 0.0)
    assert all(value.ndim > 1 for value in decayed["params"])
    assert all(value.ndim == 1 for value in free["params"])


def test_a_long_validation_is_drawn_once_and_always_the_same() -> None:
    few = validation_items(plan(validation_items=8), data())
    assert np.array_equal(few, validation_items(plan(validation_items=8), data()))
    assert set(few.tolist()) <= set(data().validation.tolist())
    assert len(validation_items(plan(validation_items=0), data())) == 16


# ---------------------------------------------------------------------- refusals


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A training that was stopped after two steps."""
    begin(plan(), data(), tmp_path, CPU).run(Silence(), after(2))
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("chosen", "given", "named"),
    [
        ({"seed": 7}, {}, "seed 7 was 1"),
        ({"network": "mobilenet-v2"}, {}, "network mobilenet-v2 was sca-cnn"),
        ({}, {"sha256": "cd" * 32}, "data set cdcdcdcdcdcd, was abababababab"),
    ],
)
def test_another_training_is_refused_and_nothing_overwritten(
    run: Path, chosen: dict[str, object], given: dict[str, str], named: str
) -> None:
    before = contents(run)
    with pytest.raises(TrainingError, match=named) as refused:
        begin(plan(**chosen), data(**given), run, CPU)  # type: ignore[arg-type]
    assert refused.value.code == "training.other_run"
    assert contents(run) == before


def test_a_folder_with_a_best_but_no_last_checkpoint_is_refused(run: Path) -> None:
    (run / "last.pt").rename(run / "best.pt")
    with pytest.raises(TrainingError, match=r"best\.pt without last\.pt"):
        begin(plan(), data(), run, CPU)


def test_images_too_small_for_the_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="inception-cnn needs 128 px, the images are 64x64"):
        begin(plan(network="inception-cnn"), data(64), tmp_path, CPU)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-3000]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("no checkpoint"),
        lambda path: path.unlink(),
        lambda path: torch.save({"format": 99}, path),
        lambda path: torch.save([1, 2], path),
        lambda path: torch.save({"format": 1, "network": "sca-cnn"}, path),
    ],
)
def test_a_damaged_checkpoint_is_refused(run: Path, spoil: Callable[[Path], None]) -> None:
    spoil(run / "last.pt")
    with pytest.raises(TrainingError) as refused:
        load_network(run / "last.pt")
    assert refused.value.code == "training.bad_checkpoint"


class Trap:
    """An object that does something when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("trap-has-sprung"),)  # type: ignore[return-value]


def test_a_checkpoint_that_holds_code_is_never_unpickled(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"format": 1, "state": Trap()}, run / "last.pt")
    with pytest.raises(TrainingError) as refused:
        load_network(run / "last.pt")
    assert refused.value.code == "training.bad_checkpoint"
    assert not (tmp_path / "trap-has-sprung").exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda document: document.update(network="resnet50"), "weights of another network"),
        (lambda document: document.update(network="inception-cnn"), "inception-cnn needs 128 px, the images are 64x64"),
        (lambda document: document.update(network="perceptron"), "unknown network perceptron"),
        (lambda document: document["state"]["head.0.bias"].fill_(math.nan), "no finite number"),
        (lambda document: document.update(classes=["a", "b"]), "weights of another network"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    run: Path, change: Callable[[dict[str, object]], None], named: str
) -> None:
    document = read_checkpoint(run / "last.pt")
    change(document)
    write_checkpoint(run / "last.pt", document)
    with pytest.raises(TrainingError, match=named):
        load_network(run / "last.pt")


def test_a_loss_that_is_no_number_ends_the_training_and_keeps_the_last_good_checkpoint(run: Path) -> None:
    before = contents(run)["last.pt"]
    training = begin(plan(), data(), run, CPU, keep_every_s=0)
    next(iter(training.network.parameters())).data.fill_(math.inf)
    with pytest.raises(TrainingError) as refused:
        training.run(Silence())
    assert refused.value.code == "training.diverged"
    assert "epoch 1, step 3" in refused.value.detail
    assert contents(run)["last.pt"] == before
    assert begin(plan(), data(), run, CPU).position.step == 2


def test_a_full_disk_leaves_the_checkpoint_before_and_no_half_one(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(run)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("station.core.durable.os.fsync", full)
    training = begin(plan(), data(), run, CPU, keep_every_s=0)
    with pytest.raises(TrainingError, match="the disk is full") as refused:
        training.run(Silence())
    assert refused.value.code == "training.disk_failed"
    assert contents(run) == before


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"one")
    write_whole(tmp_path / "a", b"two")
    assert contents(tmp_path) == {"a": b"two"}
    with pytest.raises(TrainingError, match="missing"):
        write_whole(tmp_path / "missing" / "a", b"one")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "training.out_of_memory"),
        (torch.OutOfMemoryError("CUDA out of memory"), "training.out_of_memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "training.out_of_memory"),
        (OSError(28, "No space left on device"), "training.disk_failed"),
    ],
)
def test_memory_and_disk_that_do_not_suffice_are_told_as_such(tmp_path: Path, error: Exception, code: str) -> None:
    with pytest.raises(TrainingError) as refused, translated(tmp_path):
        raise error
    assert refused.value.code == code


def test_a_bug_is_not_told_as_a_lack_of_memory(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="mat1 and mat2"), translated(tmp_path):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
