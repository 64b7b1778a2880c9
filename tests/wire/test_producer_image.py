"""What exposure, gain, black level and noise do to the simulated camera's image."""

from typing import Any

import numpy as np
import pytest

from tests.wire.line_camera import Camera, pattern

FORMATS = {"Mono8": (255, lambda grey: grey), "Mono12": (4095, lambda grey: grey << 4 | grey >> 4),
           "Mono16": (65535, lambda grey: grey * 257)}  # fmt: skip
SEEN = pattern(0, 32, 256).astype(np.uint32)


def image_of(camera: Camera, **features: Any) -> np.ndarray:
    camera.set(Width=256, Height=32, AcquisitionMode="SingleFrame", **features)
    camera.acquirer.start()
    image = camera.fetch().image
    camera.acquirer.stop()
    return image


@pytest.mark.parametrize("pixel_format", FORMATS)
@pytest.mark.parametrize(
    ("features", "factor", "black"),
    [
        ({"ExposureTime": 20.0}, 1.0, 0.0),
        ({"ExposureTime": 10.0}, 0.5, 0.0),
        ({"ExposureTime": 40.0}, 2.0, 0.0),
        ({"ExposureTime": 40.0, "SimNominalExposure": 40.0}, 1.0, 0.0),
        ({"Gain": 6.0}, 10 ** (6 / 20), 0.0),
        ({"Gain": 24.0, "ExposureTime": 5.0}, 10 ** (24 / 20) / 4, 0.0),
        ({"BlackLevel": 16.0}, 1.0, 16.0),
        ({"BlackLevel": 255.0}, 1.0, 255.0),
    ],
)
def test_the_image_is_what_was_exposed_and_amplified_and_never_overflows(
    camera: Camera, pixel_format: str, features: dict[str, float], factor: float, black: float
) -> None:
    full, of = FORMATS[pixel_format]
    expected = np.minimum(full, np.floor(of(SEEN) * factor + black * full / 255 + 0.5))
    assert np.array_equal(image_of(camera, PixelFormat=pixel_format, **features), expected)


def test_noise_has_the_wanted_strength_and_no_mean(camera: Camera) -> None:
    noisy = image_of(camera, SimNoise=3.0, PixelFormat="Mono16").astype(float)
    middle = (SEEN > 30) & (SEEN < 225)  # nothing is cut off there
    noise = (noisy - SEEN * 257)[middle] / 257
    assert noise.std() == pytest.approx(3.0, rel=0.05)
    assert noise.mean() == pytest.approx(0.0, abs=0.15)
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 0.05


def test_noise_is_repeated_with_its_seed_only(camera: Camera) -> None:
    def two(seed: int) -> list[np.ndarray]:
        camera.set(SimNoiseSeed=seed)
        return [image_of(camera, SimNoise=2.0), image_of(camera)]

    first, second, other = two(5), two(5), two(6)
    assert np.array_equal(first, second)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], other[0])
    assert np.array_equal(image_of(camera, SimNoise=0.0), SEEN)
