"""The loss of a part's label: what counting every way that its patches could look gives."""

from itertools import product

import pytest

torch = pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")

from models.training.bag_loss import bag_losses, mean_loss, part_losses  # noqa: E402 - after the check for torch

pytestmark = pytest.mark.training

GOOD = 1
CLASSES = 3


def answers(images: int, seed: int = 1, spread: float = 2.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(images, CLASSES, generator=generator, dtype=torch.float64)


def counted(logits: torch.Tensor, label: int) -> float:
    """The chance that the images look so that their part has this label, way by way."""
    chances = torch.softmax(logits, dim=1)
    ways = product(range(CLASSES), repeat=len(logits))
    fitting = [way for way in ways if set(way) <= {GOOD, label} and (label in way)]
    return sum(float(torch.stack([chances[at, seen] for at, seen in enumerate(way)]).prod()) for way in fitting)


@pytest.mark.parametrize("label", range(CLASSES))
def test_the_loss_is_the_chance_of_the_label_over_all_ways_that_the_images_may_look(label: int) -> None:
    logits = answers(4)
    loss = part_losses(logits, torch.zeros(4, dtype=torch.int64), torch.tensor([label]), GOOD)
    assert float(torch.exp(-loss)) == pytest.approx(counted(logits, label), rel=1e-9)


def test_parts_are_told_apart_whatever_the_order_of_their_images() -> None:
    logits, parts = answers(6), torch.tensor([1, 0, 1, 2, 0, 1])
    labels = torch.tensor([0, 2, GOOD])
    together = part_losses(logits, parts, labels, GOOD)
    for part, label in enumerate(labels.tolist()):
        assert float(torch.exp(-together[part])) == pytest.approx(counted(logits[parts == part], label), rel=1e-9)


@pytest.mark.parametrize("surplus", [-80.0, -30.0, 30.0, 80.0])
def test_a_network_that_is_sure_still_has_a_finite_loss_and_gradient(surplus: float) -> None:
    logits = torch.zeros(16, CLASSES)
    logits[:, 0] = surplus
    logits.requires_grad_()
    loss = part_losses(logits, torch.zeros(16, dtype=torch.int64), torch.tensor([0]), GOOD).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
    if surplus < 0:
        assert float(logits.grad[:, 0].sum()) == pytest.approx(-1, abs=1e-3)


def test_the_likeliest_image_of_a_bag_is_pulled_most() -> None:
    logits = torch.zeros(3, CLASSES, dtype=torch.float64)
    logits[:, 0] = torch.tensor([-6.0, -2.0, -6.0])
    logits.requires_grad_()
    bag_losses(logits, torch.zeros(3, dtype=torch.int64), torch.tensor([0]), GOOD).sum().backward()
    pulled = -logits.grad[:, 0]
    assert pulled.argmax() == 1
    assert float(pulled[1]) > 10 * float(pulled[0]) > 0


def test_labelled_images_and_bags_each_weigh_as_many_images_as_they_are() -> None:
    logits = answers(5)
    labels, numbers = torch.tensor([1, -1, 0, -1, -1]), torch.tensor([7, 9, 7, 9, 4])
    part_labels, weights = torch.tensor([1, 0, 0, 0, 2]), torch.ones(CLASSES, dtype=torch.float64)
    found = mean_loss(logits, labels, numbers, part_labels, weights, GOOD)
    own = -torch.log_softmax(logits, dim=1)[[0, 2], [1, 0]].sum()
    bags = bag_losses(logits[[1, 3, 4]], torch.tensor([1, 1, 0]), torch.tensor([2, 0]), GOOD).sum()
    assert float(found) == pytest.approx(float(own + bags) / 5, rel=1e-9)


def test_a_step_of_bags_alone_needs_no_labelled_image() -> None:
    logits = answers(3)
    nothing = torch.full((3,), -1)
    found = mean_loss(logits, nothing, torch.zeros(3, dtype=torch.int64), torch.zeros(3, dtype=torch.int64),
                      torch.zeros(CLASSES, dtype=torch.float64), GOOD)  # fmt: skip
    alone = bag_losses(logits, torch.zeros(3, dtype=torch.int64), torch.tensor([0]), GOOD)
    assert float(found) == pytest.approx(float(alone) / 3, rel=1e-9)


def test_in_training_that_a_bag_shows_its_class_weighs_as_many_images_as_it_has() -> None:
    logits, nothing = answers(4), torch.zeros(4, dtype=torch.int64)
    label = torch.tensor([0])
    no_other = -float(torch.softmax(logits, dim=1)[:, [0, GOOD]].sum(dim=1).log().sum())
    likelihood, taught = (float(loss(logits, nothing, label, GOOD)) for loss in (part_losses, bag_losses))
    assert taught - no_other == pytest.approx(4 * (likelihood - no_other), rel=1e-9)
