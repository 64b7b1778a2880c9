"""CondenseNetV2 learns which features to use: its groups condense in the first half, and what is exported is plain."""

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")
pytest.importorskip("timm", reason="timm is an extra of training (make test-training)")

from models.networks import NETWORKS  # noqa: E402 - after the check for torch
from models.networks.condensenet_v2 import LearntGroups  # noqa: E402
from models.release.graphs import rounded  # noqa: E402

pytestmark = pytest.mark.training

GROUPS = {"condensenet-v2-a": 8, "condensenet-v2-b": 6}


def learnt(network: Any) -> list[Any]:
    return [module for module in network.modules() if isinstance(module, LearntGroups)]


def settled(name: str) -> Any:
    torch.manual_seed(1)
    network = NETWORKS[name].make(5, 64, 64)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
    network.advance(1.0)
    return network.eval()


@pytest.mark.parametrize("name", GROUPS)
def test_each_learnt_group_keeps_one_part_in_as_many_as_there_are_groups(name: str) -> None:
    for groups in learnt(settled(name)):
        mask = groups.mask[:, :, 0, 0]
        kept = mask.T if groups.renewing else mask
        assert (kept.sum(1) == kept.shape[1] // GROUPS[name]).all()
        for first in range(GROUPS[name]):  # all of a group keep the same
            assert (kept[first :: GROUPS[name]] == kept[first]).all()


def test_groups_lose_step_by_step_in_the_first_half_and_what_they_use_least() -> None:
    torch.manual_seed(1)
    groups = LearntGroups(16, 32, 8, torch.nn.ReLU(), renewing=False)
    with torch.no_grad():
        groups.convolution.weight[:, 3] = 1e-6
        groups.convolution.weight[:, 7] = 1e-7
    shares = []
    for share in (0.0, 0.05, 0.08, 0.25, 0.49, 0.5, 0.9):
        groups.condense(share)
        shares.append(float(groups.mask.float().mean()))
    assert shares[0] == shares[1] == 1
    assert shares[2] == 7 / 8
    assert not groups.mask[:, [3, 7]].any()
    assert shares[3] == 5 / 8
    assert shares[4:] == [2 / 8, 1 / 8, 1 / 8]


def test_how_often_it_is_told_of_the_progress_changes_nothing() -> None:
    torch.manual_seed(1)
    one, other = (NETWORKS["condensenet-v2-a"].make(5, 64, 64) for _ in range(2))
    other.load_state_dict(one.state_dict())
    for share in (0.1, 0.2, 0.3, 0.45, 0.7):
        one.advance(share)
    other.advance(0.7)
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    assert one.settled


@pytest.mark.parametrize("name", GROUPS)
def test_what_is_exported_answers_the_same_from_dense_convolutions(name: str) -> None:
    network, images = settled(name), torch.rand(3, 1, 64, 64)
    converted = rounded(network)
    with torch.inference_mode():
        assert torch.allclose(converted(images), network(images), atol=0.02, rtol=0.05)
        for groups in learnt(converted):
            weights = groups.convolution.weight
            assert groups.plain
            assert not weights[~groups.mask].any()
    fresh = NETWORKS[name].make(5, 64, 64).eval()
    fresh.load_state_dict(converted.state_dict())
    with torch.inference_mode():
        assert torch.equal(fresh(images), converted(images))


def test_what_renews_features_begins_with_doing_nothing() -> None:
    layer, features = learnt_layer(), torch.rand(1, 16, 8, 8)
    with torch.inference_mode():
        answer = layer.eval()(features)
    assert torch.equal(answer[:, :16], features)
    assert answer.shape[1] == 24


def learnt_layer() -> Any:
    from models.networks.condensenet_v2 import DenseLayer  # noqa: PLC0415 - needs torch

    return DenseLayer(16, 8, 8, 0)
