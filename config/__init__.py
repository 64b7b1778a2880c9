"""The configuration that ships with the station: settings, register maps and systemd's files."""

from importlib.resources import files
from importlib.resources.abc import Traversable


def bundled(name: str) -> Traversable:
    """The shipped file `name`, for example `simulate.toml` or `registers/plc.toml`."""
    return files(__name__).joinpath(name)
