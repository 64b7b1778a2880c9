"""Which version of the code this is, and how what it needs is installed."""

import tomllib
from importlib.metadata import version
from pathlib import Path

DISTRIBUTION = "inspection-station"

INSTALL_RUN = "pip install --no-deps --require-hashes -r requirements/run.txt"
INSTALL_TRAIN = f"{INSTALL_RUN} -r requirements/train.txt"
INSTALL_CLUSTER = f"{INSTALL_RUN} -r requirements/cluster.txt"
"""Commands, for the project's folder; by its name alone another's package could be taken for the station."""


def code_version() -> str:
    """Version of the source tree that this runs from, or of the installed product."""
    project = Path(__file__).parents[1] / "pyproject.toml"
    if project.is_file():
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    return version(DISTRIBUTION)
