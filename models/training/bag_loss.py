"""What a network's answers to the images of a part are worth, where only the part's class is known.

Images are taken as independent of each other. Let p be the probability of the class that passes in one image, d that of
the part's class. Then the part's label says of a defective part that every image is one of the two and that not all of
them pass, and of a good part that all pass:

    P(defective, of this class) = Π (p + d) · (1 - Π p / (p + d))        P(good) = Π p

The second factor is the noisy-or of multiple-instance learning; the first says that no other class is there. The
gradient is that of expectation-maximisation: each image is pulled towards the defect as far as it is likely to show it
given that one of the bag does.

In training the noisy-or weighs as many images as its bag has, as an even draw makes much of few defects: unweighted, a
network with random weights did not begin to learn. Judged is by the chance itself.
Source: Maron and Lozano-Pérez, A framework for multiple-instance learning, 1998; with several classes it is ours.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax, one_hot, softplus

LEAST = 1e-37
"""Of the chance that a bag shows its class; a network that is surer than that of its absence is wrong beyond help."""


@dataclass(frozen=True, slots=True)
class _Chances:
    """Logarithms (parts,): that all images pass, that each passes or is of the part's class, that one is of it."""

    all_pass: Tensor
    no_other: Tensor
    some_show: Tensor


def part_losses(logits: Tensor, parts: Tensor, labels: Tensor, good: int) -> Tensor:
    """The negative logarithm of the probability of each part's label (parts,).

    Args:
        logits: (n, classes) float32 of images.
        parts: (n,) which part each image is of, from 0.
        labels: (parts,) their classes.
        good: The class that passes.
    """
    chances = _chances(logits, parts, labels, good)
    return -torch.where(labels == good, chances.all_pass, chances.no_other + chances.some_show)


def bag_losses(logits: Tensor, bags: Tensor, labels: Tensor, good: int) -> Tensor:
    """The loss of each bag (bags,), the images of a defective part, in training; arguments as for `part_losses`."""
    chances = _chances(logits, bags, labels, good)
    return -(chances.no_other + torch.bincount(bags) * chances.some_show)


def mean_loss(logits: Tensor, labels: Tensor, parts: Tensor, part_labels: Tensor, weights: Tensor, good: int) -> Tensor:
    """The mean loss an image: weighted cross-entropy of labelled images, the loss of whole bags of the others.

    Args:
        logits: (n, classes) float32.
        labels: (n,) class of each image; below 0 in bags.
        parts: (n,) number of the part that each image is of.
        part_labels: (n,) its class.
        weights: (classes,) of the cross-entropy.
        good: The class that passes.
    """
    known, unsaid = (labels >= 0).nonzero()[:, 0], (labels < 0).nonzero()[:, 0]
    total = logits.sum() * 0
    if len(known):
        total = total + len(known) * cross_entropy(logits[known], labels[known], weights)
    _, bags = torch.unique(parts[unsaid], return_inverse=True)
    bag_labels = torch.zeros(int(bags.max()) + 1, dtype=torch.int64, device=logits.device)
    bag_labels[bags] = part_labels[unsaid]
    return (total + bag_losses(logits[unsaid], bags, bag_labels, good).sum()) / len(logits)


def _chances(logits: Tensor, parts: Tensor, labels: Tensor, good: int) -> _Chances:
    logs = log_softmax(logits, dim=1)
    passes, own = logs[:, good], logs.gather(1, labels[parts][:, None])[:, 0]
    members = one_hot(parts, len(labels)).T.to(logs.dtype)
    none_shows = members @ -softplus(own - passes)
    some_show = torch.log(-torch.expm1(none_shows.clamp(max=-LEAST)))
    return _Chances(members @ passes, members @ torch.logaddexp(passes, own), some_show)
