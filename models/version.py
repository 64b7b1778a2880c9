"""Which version of the code this is."""

import tomllib
from importlib.metadata import version
from pathlib import Path

DISTRIBUTION = "inspection-station"


def code_version() -> str:
    """Version of the source tree that this runs from, or of the installed product."""
    project = Path(__file__).parents[1] / "pyproject.toml"
    if project.is_file():
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    return version(DISTRIBUTION)
