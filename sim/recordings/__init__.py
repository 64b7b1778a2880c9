"""The recording that comes with the product: rendered housings of five widths, all five classes, with the truth.

Its parts are those of `sim.surfaces.bundled`; no network was trained on them.
"""

from importlib import resources
from pathlib import Path


def bundled_recording() -> Path:
    """Folder of the bundled recording, wherever the product is installed."""
    return Path(str(resources.files("sim.recordings") / "housings"))
