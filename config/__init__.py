"""The configuration that ships with the station: settings and register maps, read with importlib.resources."""

from importlib.resources import files
from importlib.resources.abc import Traversable


def bundled(name: str) -> Traversable:
    """The shipped file `name`, for example `simulate.toml` or `registers/plc.toml`."""
    return files(__name__).joinpath(name)
