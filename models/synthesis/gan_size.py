"""How large a generator and its critic are, and how that follows from their images. Free of torch."""

from dataclasses import dataclass

FULL_PX = 256
SEED_PX = 4
SIZES = (64, 128, 256)
"""Heights and widths of images that can be made."""
LATENT = 256
"""Numbers that an image is drawn from, each of the standard normal distribution."""
LEAST_CHANNELS = 4


@dataclass(frozen=True, slots=True)
class Size:
    """How large a pair of networks is.

    Attributes:
        px: Height and width of the images, one of `SIZES`.
        width: By which all numbers of channels are multiplied, above 0 and at most 1.
    """

    px: int = FULL_PX
    width: float = 1.0

    @property
    def halvings(self) -> int:
        """How many times an image is halved down to the seed."""
        return (self.px // SEED_PX).bit_length() - 1

    def channels(self, count: int) -> int:
        """So many channels of the full network in this one."""
        return max(LEAST_CHANNELS, round(count * self.width))
