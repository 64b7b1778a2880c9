"""Where a head learns alone its frozen layers look at each picture once, and nothing else comes out of it."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")
for extra in ("timm", "tensorboard", "matplotlib"):
    pytest.importorskip(extra, reason=f"{extra} is an extra of training (make test-training)")

from models.networks import NETWORKS  # noqa: E402 - after the check for torch
from models.networks.layers import Network, Scale  # noqa: E402
from models.training.checkpoint import BEST, load_network  # noqa: E402
from models.training.compute import logits_of  # noqa: E402
from models.training.plan import Plan, make_plan  # noqa: E402
from models.training.pretrained import unfold  # noqa: E402
from models.training.remembered import AT_ONCE, Memories, Remembered, learns_alone  # noqa: E402
from models.training.start import begin  # noqa: E402
from models.training.trainer import Training  # noqa: E402
from tests.unit.planted import planted_data  # noqa: E402
from tests.unit.test_weak_training import CPU, Silence, Small, after  # noqa: E402

pytestmark = pytest.mark.training


class Looks(Small):
    """Counts how many pictures its layers look at."""

    def __init__(self) -> None:
        torch.manual_seed(1)
        super().__init__()
        for value in self.features.parameters():
            torch.nn.init.normal_(value, std=0.2)
        self.looked_at = 0
        self.features[0].register_forward_hook(self._count)

    def _count(self, _layer: object, images: tuple[torch.Tensor, ...], _seen: object) -> None:
        self.looked_at += len(images[0])


def plan(**choices: object) -> Plan:
    phase = {"epochs": 3, "unfrozen_share": 0.0}
    given = {"network": "sca-cnn", "phases": [phase], "batch": 16, "augmentation": (), "init": "ab" * 32}
    return make_plan(**{**given, **choices})


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def train(folder: Path, chosen: Plan, network: Network, memories: Memories | None = None) -> Training:
    folder.mkdir(exist_ok=True)
    training = Training(chosen, planted_data(), folder, CPU, network, 1e9, memories)
    assert training.run(Silence())
    return training


def test_a_picture_is_looked_at_once_in_all_epochs_and_judgements(tmp_path: Path) -> None:
    network = Looks()
    training = train(tmp_path, plan(), network)
    pictures = len(np.union1d(training.data.train, training.data.validation))
    assert pictures <= network.looked_at <= pictures + 20 * AT_ONCE, "steps are filled up to the same number"
    looked_at = network.looked_at
    logits_of(network, training.data, training.data.validation, CPU, training.plan)
    assert network.looked_at == looked_at


def test_mirrored_and_upended_there_are_four_views_of_a_picture(tmp_path: Path) -> None:
    network, memories = Looks(), Memories()
    chosen = plan(augmentation=("mirror", "upend"), phases=[{"epochs": 6, "unfrozen_share": 0.0}])
    training = train(tmp_path, chosen, network, memories)
    pictures = len(np.union1d(training.data.train, training.data.validation))
    seen = len(memories.of(network.features, chosen))
    assert pictures < seen <= 4 * pictures


def test_the_head_learns_the_same_as_where_every_picture_is_looked_at_each_time(tmp_path: Path) -> None:
    chosen = plan(precision="f32")
    quick = train(tmp_path / "quick", chosen, Looks())
    forgetful = Looks()
    slow_plan = make_plan(**{**chosen.model_dump(), "augmentation": ("brightness",)})
    assert not learns_alone(slow_plan, slow_plan.phases[0])
    training = Training(chosen, planted_data(), tmp_path, CPU, forgetful, 1e9)
    forgetful.memory = None
    assert training.run(Silence())
    assert forgetful.looked_at > 100
    for name, value in quick.network.state_dict().items():
        assert torch.allclose(value, forgetful.state_dict()[name], atol=1e-5), name


def test_an_interrupted_training_of_the_head_ends_bit_for_bit_the_same(tmp_path: Path) -> None:
    chosen, data = plan(augmentation=("mirror", "upend")), planted_data()
    whole, pieces = tmp_path / "whole", tmp_path / "pieces"
    for folder in (whole, pieces):
        folder.mkdir()
    assert begin(chosen, data, whole, CPU).run(Silence())
    for _ in range(40):
        if begin(chosen, data, pieces, CPU, keep_every_s=1e9).run(Silence(), after(2)):
            break
    ends = [load_network(folder / BEST)[0].state_dict() for folder in (whole, pieces)]
    for name, value in ends[0].items():
        assert torch.equal(value, ends[1][name]), name


def test_trainings_whose_layers_are_the_same_share_what_was_seen(tmp_path: Path) -> None:
    memories, second = Memories(), Looks()
    train(tmp_path / "first", plan(), Looks(), memories)
    train(tmp_path / "second", plan(), second, memories)
    assert second.looked_at == 0
    other = Looks()
    with torch.no_grad():
        other.features[0].bias.add_(0.01)
    train(tmp_path / "other", plan(), other, memories)
    assert other.looked_at > 0


def test_layers_that_learn_look_at_every_picture(tmp_path: Path) -> None:
    chosen = plan(phases=[{"epochs": 1, "unfrozen_share": 0.0}, {"epochs": 1, "unfrozen_share": 1.0}])
    training = train(tmp_path, chosen, Looks())
    assert training.network.memory is None


def test_what_does_not_fit_into_memory_is_looked_at_again() -> None:
    network, images = Looks().eval(), torch.rand(8, 1, 64, 64)
    few = Remembered(most_bytes=5 * 128 * 4)
    first, again = few(network.features, images), few(network.features, images)
    assert len(few) == 5
    assert torch.equal(first, again)
    assert torch.allclose(first, network.features(images), atol=1e-5)


def test_values_are_brought_to_one_scale_and_what_hardly_differs_is_not_blown_up() -> None:
    scale, seen = Scale(3), torch.stack([torch.linspace(0, 100, 20), torch.linspace(0, 1, 20), torch.zeros(20)], dim=1)
    scale.fit(seen)
    brought = scale(seen).detach()
    assert torch.allclose(brought.mean(0), torch.zeros(3), atol=1e-4)
    assert torch.allclose(brought.std(0)[:2], torch.ones(2), atol=1e-4)
    assert float(scale(seen + 0.01).detach()[:, 2].abs().max()) < 0.5


def test_the_levels_of_an_archive_begin_at_one_scale() -> None:
    network = NETWORKS["mobilenet-v2-levels"].make(3, 64, 64)
    rng = np.random.default_rng(1)
    convolutions = [one for one in network.features.modules() if isinstance(one, torch.nn.Conv2d)]
    arrays = {}
    for number, one in enumerate(convolutions):
        shape = (one.weight.shape[0], 3 if number == 0 else one.weight.shape[1], *one.weight.shape[2:])
        spread = (2 / np.prod(shape[1:])) ** 0.5
        arrays[f"c{number:02}_w"] = rng.normal(0, spread, shape).astype(np.float32)
        arrays[f"c{number:02}_b"] = np.zeros(shape[0], np.float32)
    images = torch.rand(16, 1, 64, 64)
    unfold(network, arrays, images, Path("made.npz"))
    with torch.no_grad():
        seen = network.eval().features(images)
    assert float(seen.mean(0).abs().max()) < 1e-3
    assert 0.8 < float(seen.std(0).median()) < 1.2
