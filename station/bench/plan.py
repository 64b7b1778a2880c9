"""What every benchmark is given."""

from collections.abc import Callable
from dataclasses import dataclass

from station.bench.cell_run import CellRuns
from station.bench.network_run import NetworkRun
from station.core.settings import Settings

SHARE_OF_SECONDS = 6
"""Of the time of the acquisition every other measurement takes one part."""


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """How to measure.

    Attributes:
        settings: The configuration; its devices are the simulated ones.
        seconds: How long the acquisition takes, and six times as long as any other measurement of free length.
        say: Told, in words, what is being done.
        cell: Runs of the whole cell, each made when it is first asked for.
        network: The network alone, whole parts and PyTorch in turns, made when it is first asked for.
        beside: Other bundles that `mix` puts beside the configured one: names, or folders.
        cameras: Up to how many lines `cameras` tries at once.
    """

    settings: Settings
    seconds: float
    say: Callable[[str], None]
    cell: CellRuns
    network: NetworkRun
    beside: tuple[str, ...] = ()
    cameras: int = 1

    @property
    def short_s(self) -> float:
        """How long a measurement without a camera takes."""
        return self.seconds / SHARE_OF_SECONDS
