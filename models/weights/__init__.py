"""The bundles that come with the product, one folder each."""

from importlib import resources
from pathlib import Path

SHIPPED = "inception-cnn-3"
"""The bundle that a station uses until another one is promoted."""


def bundle_folder(bundle: str) -> Path:
    """Folder of a bundle: of the shipped one with this name, or else the path itself, which need not exist."""
    shipped = Path(str(resources.files("models.weights"))) / bundle
    return shipped if Path(bundle).name == bundle and shipped.is_dir() else Path(bundle).expanduser()
