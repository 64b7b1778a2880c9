"""What the generators and critics are made of.

Both are told for images of 256 px: six doublings from 4 px, six halvings back. Of smaller images the generator leaves
out its first doublings, the critic its last halvings, so that a seed of 4 px stays; narrower networks have all numbers
of channels multiplied.
"""

from torch import nn

SLOPE = 0.2
"""Of the leaky ReLU below zero; the paper does not tell it, this is the usual one."""


def leaky() -> nn.Module:
    """The activation of hidden layers."""
    return nn.LeakyReLU(SLOPE)


def doubling(before: int, after: int, kernel: int) -> nn.ConvTranspose2d:
    """A transposed convolution of stride 2 that doubles height and width; the kernel is even."""
    return nn.ConvTranspose2d(before, after, kernel, stride=2, padding=kernel // 2 - 1)


class Same(nn.Sequential):
    """A convolution that keeps height and width; an even kernel has one more row and column of padding behind."""

    def __init__(self, before: int, after: int, kernel: int) -> None:
        front, behind = (kernel - 1) // 2, kernel // 2
        super().__init__(nn.ZeroPad2d((front, behind, front, behind)), nn.Conv2d(before, after, kernel))
