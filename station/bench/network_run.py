"""The network alone, whole parts and PyTorch in turns: what is compared was measured in the same moments.

    a round: strip … strip ▸ part of width 1 ▸ strip … strip ▸ part of width 2 … ▸ PyTorch

Each part comes beside strips of the network alone, so the ratio of the two does not move when the computer gets slower
for a while. Only what was asked for takes part.
"""

from collections.abc import Callable, Collection
from typing import Literal

from models.engines import make_engine
from station.bench.housings import raw_scans
from station.bench.turns import Rounds, TimedWork, take_turns
from station.bench.works import judging, scoring
from station.core.errors import ModelError
from station.core.ports.network import PatchClassifier
from station.core.settings import Settings
from station.core.wakefulness import cores_awake
from station.host.bundles import find_bundle, make_classifier

Kind = Literal["network", "part", "torch"]
Key = tuple[Kind, int]
"""What was timed, and beside which width: a strip by the network alone, a part, a strip by PyTorch (beside none, 0)."""

TORCH_STRIPS = 2
TORCH_RESTS_S = 0.05
"""PyTorch's threads go on looking for work for some milliseconds, on the cores of whatever is measured next."""
LEAST_ROUNDS = 3
NETWORK_ALONE_ROUNDS = 13
"""At eight strips each, as a turn has, these are the hundred of which a 99th percentile is taken."""


class NetworkRun:
    """What takes turns, measured when the first figure is asked for; blocking.

    Args:
        settings: The line that the figures are for, of one network (`of_one_network`).
        seconds: How long each of the benchmarks that share the turns adds.
        wanted: Which of `model_only`, `end_to_end` and `torch_eager` are wanted.
        say: Told what is being done, and what is left out.
    """

    def __init__(self, settings: Settings, seconds: float, wanted: Collection[str], say: Callable[[str], None]) -> None:
        self._settings = settings
        self._wanted = set(wanted) & {"model_only", "end_to_end", "torch_eager"}
        self._seconds = seconds * len(self._wanted)
        self._say = say
        self._rounds: Rounds[Key] | None = None
        self._widths: tuple[int, ...] = ()
        self._torch = False
        self._blocks = settings.known_types[0].geometry.blocks_per_turn

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of the parts that took part; 0 alone where none did."""
        self._measured()
        return self._widths

    @property
    def has_torch(self) -> bool:
        """Whether PyTorch took part."""
        self._measured()
        return self._torch

    @property
    def has_parts(self) -> bool:
        """Whether parts took part."""
        return "end_to_end" in self._wanted

    def strips_s(self) -> list[float]:
        """Every time of a strip by the network alone."""
        return self._measured().times_s(*(("network", width) for width in self.widths))

    def part_s(self, width: int) -> float:
        """Time of a part of this width, from raw scan to decision."""
        return self._measured().median_s(("part", width))

    def of_network(self, width: int) -> float:
        """The network's share of a part's time: 1 would be a part that costs what its strips cost the network alone."""
        return self._blocks / self._measured().ratio(("part", width), ("network", width))

    def torch_image_s(self) -> float:
        """Time of a whole image, all its patches, by PyTorch alone."""
        return self._blocks * self._measured().median_s(("torch", 0))

    def torch_over_part(self, width: int) -> float:
        """By how much longer PyTorch takes for the patches alone than the station for a whole part of this width."""
        return self._blocks * self._measured().ratio(("torch", 0), ("part", width))

    def _measured(self) -> Rounds[Key]:
        if self._rounds is None:
            turns = self._turns()
            at_least = LEAST_ROUNDS if self.has_parts else NETWORK_ALONE_ROUNDS
            with cores_awake(wanted=self._settings.model.keep_awake):
                self._rounds = take_turns(turns, self._seconds, at_least)
        return self._rounds

    def _turns(self) -> dict[Key, TimedWork]:
        classifier = make_classifier(self._settings)
        strip = scoring(classifier)
        turns: dict[Key, TimedWork] = {}
        for width, part in self._parts(classifier):
            turns["network", width] = TimedWork(strip, self._blocks)
            if part is not None:
                turns["part", width] = TimedWork(part)
        self._widths = tuple(width for kind, width in turns if kind == "network")
        if "torch_eager" in self._wanted and (torch := self._torch_engine()) is not None:
            self._torch = True
            turns["torch", 0] = TimedWork(scoring(torch), TORCH_STRIPS, TORCH_RESTS_S)
        return turns

    def _parts(self, classifier: PatchClassifier) -> list[tuple[int, Callable[[], object] | None]]:
        if not self.has_parts:
            return [(0, None)]
        self._say("  rendering a housing of each type")
        scans = raw_scans(self._settings)
        return [(kind.width_px, judging(kind, scan, self._settings, classifier)) for kind, scan in scans.items()]

    def _torch_engine(self) -> PatchClassifier | None:
        model = self._settings.model.model_copy(update={"engine": "torch", "precision": "f32"})
        try:
            return make_engine(find_bundle(self._settings), model)
        except ModelError as error:
            if error.code != "model.engine_unavailable":
                raise
            self._say(f"  PyTorch left out: {error.detail}")
            return None
