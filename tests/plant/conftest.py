"""The station as a user runs it, and what a plant puts beside it."""

from tests.cell.conftest import environment, make_config, station  # noqa: F401  # fixtures
