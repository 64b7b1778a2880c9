"""The configuration: one TOML file, checked as a whole before anything starts.

Unknown keys, values out of range and contradictions are refused with file, key, what is wrong and what is allowed.
Units are part of the names. `{runtime}` in a path stands for the user's runtime folder, `{producer}` for the
simulated camera's GenTL producer.
"""

import hashlib
import os
import tempfile
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import ErrorDetails

from station.core.camera_settings import CameraSettings
from station.core.central_settings import CentralSettings
from station.core.challenge_settings import ChallengeSettings
from station.core.choices import EngineName, Precision
from station.core.drift_settings import DriftSettings
from station.core.errors import FAULTS, ConfigError
from station.core.fleet_settings import FleetSettings
from station.core.light_settings import LightSettings
from station.core.opcua_settings import OpcUaSettings
from station.core.page_settings import PageSettings
from station.core.part import PartType
from station.core.plant_settings import PlantSettings
from station.core.price_settings import PriceSettings
from station.core.room import MB
from station.core.section import Seconds, Section
from station.core.sparkplug_settings import SparkplugSettings
from station.core.table import (
    ClassSettings,
    GeometrySettings,
    PlaceSettings,
    ReviewSettings,
    build,
    default_classes,
    default_geometry,
    default_places,
    default_review,
)
from station.core.type_settings import EffectiveType, PartTypeSettings, SpotCheckShare, setup_problems
from station.core.verdicts import Classes, Inspected

TABLE = ("classes", "places", "review")
"""What is given together: a table of one's own."""

Port = Annotated[int, Field(ge=0, le=65535)]
Beat = Annotated[float, Field(gt=0, le=1)]
"""Time between two beats that robot or jig is shown; a jig that hears nothing for long stops by itself."""


def _is_network(text: str) -> str:
    ip_network(text)
    return text


Network = Annotated[str, AfterValidator(_is_network)]
"""An IP address, or a network as `192.168.0.0/24`; no name, for nothing is looked up."""


MapProfile = Annotated[
    str,
    Field(
        min_length=1,
        description="How the register map lies on the device: default, universal_robots, siemens_s7, or the path of a "
        "profile of one's own.",
    ),
]
MapFile = Annotated[
    str, Field(description="A register map of one's own, with the same registers elsewhere; empty for the shipped one.")
]


class TcpLink(Section):
    """A Modbus TCP connection."""

    kind: Literal["tcp"] = Field(..., description="tcp: Modbus TCP.")
    host: str = Field("127.0.0.1", min_length=1, description="Name or address of the device, or to listen on.")
    port: Port = Field(502, description="TCP port; 0 lets a server choose a free one.")
    unit: int = Field(1, ge=0, le=247, description="Modbus unit id.")
    request_timeout_s: Seconds = Field(0.5, description="Deadline of one request.")
    reconnect_s: Annotated[float, Field(gt=0, le=10)] = Field(1.0, description="Time between attempts to reconnect.")
    poll_s: Annotated[float, Field(gt=0, le=1)] = Field(0.02, description="Time between looks at the device's status.")
    profile: MapProfile = "default"
    map_file: MapFile = ""


class RtuLink(Section):
    """A Modbus RTU connection over a serial line."""

    kind: Literal["rtu"] = Field(..., description="rtu: Modbus RTU on a serial line; only the jig may have it.")
    device: str = Field(..., min_length=1, description="Serial device, for example /dev/ttyUSB0.")
    baud_rate: int = Field(115200, ge=1200, le=4_000_000, description="Bits a second.")
    parity: Literal["N", "E", "O"] = Field("E", description="N none, E even, O odd.")
    stop_bits: Literal[1, 2] = Field(1, description="Stop bits.")
    unit: int = Field(1, ge=1, le=247, description="Modbus unit id.")
    local_echo: bool = Field(False, description="Whether the adapter sends back what the station sends; it is dropped.")
    request_timeout_s: Seconds = Field(0.5, description="Deadline of one request.")
    reconnect_s: Annotated[float, Field(gt=0, le=10)] = Field(1.0, description="Time between attempts to reconnect.")
    poll_s: Annotated[float, Field(gt=0, le=1)] = Field(0.02, description="Time between looks at the device's status.")
    profile: MapProfile = "default"
    map_file: MapFile = ""


class StationSettings(Section):
    """The station as a whole."""

    name: str = Field(..., min_length=1, max_length=40, description="Name of the cell in logs and on pages.")
    data_dir: str = Field(
        "", description="Folder of database, archive and logs; empty for the user's data folder; `--data` overrides it."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest level shown.")
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = Field(
        "en", description="Language of the labels of classes and places, where they have several."
    )


class RobotSettings(Section):
    """The robot arm."""

    link: Annotated[TcpLink, Field(description="How the robot is reached.")]
    acknowledge_timeout_s: Seconds = Field(2.0, description="Deadline for taking an order.")
    motion_timeout_s: Seconds = Field(
        30.0, description="Deadline for finishing an order, the acknowledgement included."
    )
    heartbeat_s: Beat = Field(0.25, description="Time between two beats of the station.")
    stale_after_s: Seconds = Field(2.0, description="Without a beat of the robot for so long, it is not believed.")


class JigSettings(Section):
    """The spin jig."""

    link: Annotated[TcpLink | RtuLink, Field(discriminator="kind", description="How the jig is reached.")]
    max_speed_rpm: float = Field(..., gt=0, le=6500, description="Highest speed that may be ordered.")
    acknowledge_timeout_s: Seconds = Field(1.0, description="Deadline for taking an order.")
    speed_timeout_s: Seconds = Field(10.0, description="Deadline for reaching the speed.")
    stop_timeout_s: Seconds = Field(10.0, description="Deadline for coming to a standstill.")
    heartbeat_s: Beat = Field(0.25, description="Time between two beats of the station.")
    stale_after_s: Seconds = Field(2.0, description="Without a beat of the jig for so long, it is not believed.")


class PlcSettings(Section):
    """The line PLC."""

    role: Literal["client", "server"] = Field(
        "client", description="client: the station writes into the PLC; server: the PLC reads and writes the station."
    )
    link: Annotated[TcpLink, Field(description="The PLC's address, or the one that the station listens on.")]
    heartbeat_s: Annotated[float, Field(gt=0, le=10)] = Field(0.5, description="Time between two beats of the station.")
    stale_after_s: Seconds = Field(2.0, description="Without a beat of the PLC for so long, it is not believed.")
    result_timeout_s: Seconds = Field(10.0, description="Deadline for the PLC's acknowledgement of a result.")
    starved_after_s: Seconds = Field(5.0, description="Without a waiting part for so long, the cell is Suspended.")
    defect_list: bool = Field(
        False,
        description="client: the PLC has the registers of the list of defects (map's section defects); as server the "
        "station always has them.",
    )
    commanders: list[Network] = Field(
        ["127.0.0.1", "::1"],
        min_length=1,
        description="server: addresses or networks that may command and write; one connection of them at a time.",
    )
    readers: list[Network] = Field(
        [], description="server: addresses or networks that may read only; nobody else may connect."
    )
    connections: int = Field(32, ge=2, le=512, description="server: connections in all.")
    connections_per_address: int = Field(8, ge=2, le=512, description="server: connections of one address.")
    idle_timeout_s: Seconds = Field(60.0, description="server: a connection without a request for so long is closed.")
    requests_per_s: Annotated[float, Field(ge=10, le=10_000)] = Field(
        500.0,
        description="server: requests a second that are answered to the connection that commands, and to all others "
        "together; more wait their turn.",
    )


class CropSettings(Section):
    """How the part is told from the black background."""

    background_max: int = Field(40, ge=1, le=200, description="Grey value that the background stays under.")
    margin_px: int = Field(4, ge=1, le=256, description="Columns of background that must be seen on both sides.")
    saturated_max: float = Field(0.05, ge=0, le=1, description="Share of the part's pixels that may be white (255).")

    def dimmed(self, share: float) -> Self:
        """The same where there is only a share of the light, which the background has to be seen by, too."""
        if share >= 1:
            return self
        return self.model_copy(update={"background_max": max(1, round(share * self.background_max))})


class TurnSettings(Section):
    """What the lines themselves must prove of a turn, whatever jig and encoder say; missing lines always count."""

    proofs: list[Literal["moving", "once", "closed"]] = Field(
        default=["moving", "once", "closed"],
        description="moving: no stretch stands still; once: no stretch comes again; closed: the last lines meet the "
        "first. Leave out only what a surface without any marks cannot show.",
    )

    @property
    def one_surface(self) -> bool:
        """Whether the lines of a scan are those of one surface; a camera's always are."""
        return True

    def of_open_turns(self) -> Self:
        """The same for scans that hold no whole turn, whose end meets nothing."""
        return self.model_copy(update={"proofs": [proof for proof in self.proofs if proof != "closed"]})

    def of_composed_scans(self) -> "ComposedTurnSettings":
        """For scans that were put together from pictures: each line must show a surface, and none proves another."""
        return ComposedTurnSettings(proofs=[])


class ComposedTurnSettings(TurnSettings):
    """Of scans that were put together from pictures; no configuration can have it, for a camera takes no such scan."""

    @property
    def one_surface(self) -> bool:
        """No: what is usual in one picture is not so in the next."""
        return False


class DecisionSettings(Section):
    """The guard of the decision."""

    min_confidence: float = Field(0.5, ge=0.2, lt=1, description="Below it the part goes to REVIEW.")
    deadline_ms: float = Field(500.0, gt=0, le=60_000, description="From last line to decision; later is REVIEW.")
    spot_check: SpotCheckShare = Field(
        0,
        description="Of the parts that would pass one in so many is drawn by lot and goes to REVIEW, for people to "
        "look at: what they label bounds the share of defective parts that pass. 0: none.",
    )
    spot_check_seed: int = Field(
        1, ge=0, le=2**63 - 1, description="Of these lots; with an inspection's id it gives the same lot again."
    )
    prices: PriceSettings | None = Field(None, description="What goes wrong costs; the rule `cost` decides by it.")
    second_look: int = Field(
        0,
        ge=0,
        le=10_000,
        description="Parts in any eight hours that may be turned once more where the judgement is unsure: too little "
        "confidence, unknown, or two rules that differ. It passes nothing in which the first look named a defect; 0: "
        "no part is looked at again.",
    )


class NoveltySettings(Section):
    """Parts unlike anything that the network was trained on."""

    alpha: float = Field(
        0.01,
        ge=0,
        le=0.2,
        description="Share of good parts that may go to REVIEW as unknown, at the most; to promise it the bundle's "
        "calibration takes 1/alpha - 1 good parts of the type. 0: nothing goes there as unknown, it is recorded alone.",
    )


class LearnSettings(Section):
    """What `station learn` may take of a computer on which the station works."""

    cores: int = Field(1, ge=1, le=256, description="Cores, the last ones of those that there are.")
    nice: int = Field(19, ge=0, le=19, description="Priority, as of nice; 19 takes idle time alone.")
    memory_mb: int = Field(
        6000, ge=0, le=10_000_000, description="Memory of a step, in MB; one that needs more is stopped. 0 for any."
    )
    room_mb: int = Field(
        3000, ge=0, le=10_000_000, description="Room on the disk, beside the records' reserve, without which it does "
        "not begin, in MB."
    )  # fmt: skip
    look_s: Seconds = Field(
        2.0, description="Time between two looks at whether a part was judged late; then learning stops."
    )
    least_parts: int = Field(
        10, ge=2, le=100_000, description="Parts of each class, without which nothing is learnt; of good parts, and of "
        "defective ones, a fifth as many are held out."
    )  # fmt: skip

    @property
    def least_held_out(self) -> int:
        """How many good parts, and how many defective ones, judge at the least."""
        return max(1, self.least_parts // 5)


class ModelSettings(Section):
    """The network that judges."""

    bundle: str = Field(
        ...,
        min_length=1,
        description="promoted: the one that `station model promote` let in, the shipped one before; or the name of a "
        "shipped bundle, or the path of a bundle's folder.",
    )
    models_dir: str = Field(
        "", description="Folder of the promoted bundles and their history; empty for `models` in the data folder."
    )
    engine: EngineName = Field("openvino", description="Inference engine; torch only with the extra `train`.")
    precision: Precision = Field(
        "f32", description="Arithmetic of the engine: int8 is the fastest; onnxruntime and torch have f32 only."
    )
    screener: bool = Field(
        True,
        description="Let the bundle's screener, where it has one, pass patches that are surely defect-free; false has "
        "the full network judge every patch.",
    )
    threads: int = Field(0, ge=0, le=256, description="Threads of the engine; 0 for all cores.")
    pinning: bool = Field(True, description="Keep each thread of the engine on one core while it computes (openvino).")
    realtime: bool = Field(
        True,
        description="Give the engine's threads real-time priority, below camera and event loop, where it is allowed.",
    )
    keep_awake: bool = Field(
        True,
        description="Let no core sleep from a part's loading to its decision, where it is allowed.",
    )


class RecordSettings(Section):
    """The archive of scans, and the room on the disk."""

    archive: list[str] = Field(default=[], description="Verdicts whose scans are kept, losslessly, as PNG.")
    keep_days: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default={},
        description="Days to keep a scan, by verdict, at the least; a verdict that is not named is kept for ever.",
    )

    reserve_mb: int = Field(
        1000,
        ge=0,
        le=1_000_000,
        description="Room on the disk that only the records take, in MB: archive, log, cache "
        "and recordings stop before it.",
    )
    low_mb: int = Field(2000, ge=0, le=10_000_000, description="With less room on the disk there is an alarm, in MB.")
    when_full: Literal["oldest", "none"] = Field(
        "oldest",
        description="What happens to the archive when only the reserve is left. oldest: for each new scan up to two of "
        "the oldest make way, of the verdicts that keep_days names; none: no scan is archived.",
    )

    @property
    def reserve_bytes(self) -> int:
        """The reserve in bytes."""
        return self.reserve_mb * MB

    @model_validator(mode="after")
    def _alarm_comes_before(self) -> Self:
        if self.low_mb < self.reserve_mb:
            raise ValueError(f"low_mb must not be less than reserve_mb, {self.reserve_mb}")
        return self


class AlarmSettings(Section):
    """What becomes an alarm."""

    suspended_after_s: Annotated[float, Field(gt=0, le=86_400)] = Field(
        30.0, description="A suspension that lasts longer is an alarm."
    )
    quiet: list[str] = Field(
        default=["plc.starved"], description="Reasons of a suspension that are no alarm, however long it lasts."
    )

    @model_validator(mode="after")
    def _reasons_are_known(self) -> Self:
        if unknown := [code for code in self.quiet if code not in FAULTS]:
            raise ValueError(f"quiet names no fault: {', '.join(unknown)}; `station faults` lists all")
        return self


class WatchdogSettings(Section):
    """What is done about parts of the station that hang."""

    stall_logged_s: Seconds = Field(
        2.0, description="An event loop that stands still for so long has its stack written into the log."
    )
    stall_fatal_s: Seconds = Field(
        15.0, description="One that stands still for so long ends the process, to be started again by its supervisor."
    )
    compute_timeout_s: Seconds = Field(
        20.0, description="Deadline of every job of the compute thread: judging a block, warming up the network."
    )
    clock_step_s: Seconds = Field(2.0, description="A jump of the wall clock by more is noted as an event.")

    @model_validator(mode="after")
    def _is_logged_before_it_is_fatal(self) -> Self:
        if self.stall_fatal_s <= self.stall_logged_s:
            raise ValueError(f"stall_fatal_s must be longer than stall_logged_s, {self.stall_logged_s:g} s")
        return self


class SimulationSettings(Section):
    """The simulated cell; only in configurations whose addresses are those of `python -m sim`."""

    seed: int = Field(1, ge=0, description="Seed of everything random in the simulated cell.")
    robot_load_s: float = Field(1.2, ge=0, le=60, description="From the order to the part on the jig and the arm back.")
    robot_unload_s: float = Field(1.2, ge=0, le=60, description="From the order to the part in its bin, the arm back.")
    jig_ramp_s: float = Field(0.3, ge=0, le=60, description="Time to reach the speed, and to come to a standstill.")
    infeed_s: float = Field(0.2, ge=0, le=60, description="Time until the next part lies at the infeed.")


class Settings(Section):
    """The whole configuration."""

    station: StationSettings
    part_types: dict[str, PartTypeSettings] = Field(..., min_length=1, description="The types of parts, by name.")
    geometry: GeometrySettings = Field(default_factory=default_geometry)
    classes: list[ClassSettings] = Field(
        default_factory=default_classes, description="What the network may answer; by default the classes of housings."
    )
    places: list[PlaceSettings] = Field(
        default_factory=default_places, description="Where the robot may lay a part; by default those for housings."
    )
    review: ReviewSettings = Field(default_factory=default_review)
    camera: CameraSettings
    robot: RobotSettings
    jig: JigSettings
    plc: PlcSettings
    model: ModelSettings
    crop: CropSettings = CropSettings()
    turn: TurnSettings = TurnSettings()
    light: LightSettings = LightSettings()
    decision: DecisionSettings = DecisionSettings()
    novelty: NoveltySettings = NoveltySettings()
    challenge: ChallengeSettings = ChallengeSettings()
    drift: DriftSettings = DriftSettings()
    records: RecordSettings = RecordSettings()
    learn: LearnSettings = LearnSettings()
    fleet: FleetSettings = FleetSettings()
    alarms: AlarmSettings = AlarmSettings()
    watchdog: WatchdogSettings = WatchdogSettings()
    plant: PlantSettings = PlantSettings()
    page: PageSettings = PageSettings()
    opcua: OpcUaSettings = OpcUaSettings()
    sparkplug: SparkplugSettings = SparkplugSettings()
    central: CentralSettings = CentralSettings()
    simulation: SimulationSettings | None = None

    @model_validator(mode="before")
    @classmethod
    def _table_is_given_whole(cls, document: Any) -> Any:
        """A table of one's own does not get its places, or its REVIEW, from that of housings."""
        given = [key for key in TABLE if isinstance(document, dict) and key in document]
        if missing := [key for key in TABLE if given and key not in given]:
            told = f"{' and '.join(given)} without {' and '.join(missing)}"
            raise ValueError(f"{told}: classes, places and review are given together")
        return document

    @model_validator(mode="after")
    def _table_is_sound(self) -> Self:
        known = {verdict.name for verdict in self.table.verdicts}
        named = {"records.archive": self.records.archive, "records.keep_days": self.records.keep_days}
        named |= {f"part_types.{name}.archive": kind.archive or () for name, kind in self.part_types.items()}
        problems = [
            f"{key} names no verdict: {', '.join(unknown)}; there are {', '.join(sorted(known))}"
            for key, names in named.items()
            if (unknown := sorted(set(names) - known))
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @model_validator(mode="after")
    def _golden_parts_are_known(self) -> Self:
        passes = {verdict.name: verdict.passes for verdict in self.table.verdicts}
        if problems := self.challenge.problems(set(self.part_types), passes):
            raise ValueError("; ".join(problems))
        return self

    @property
    def table(self) -> Classes:
        """The classes and places as the values that flow."""
        return build(self.classes, self.places, self.review, self.station.language)

    @property
    def inspected(self) -> Inspected:
        """What the codes and counts in registers stand for."""
        return Inspected(self.table, max(kind.geometry.patches_per_part for kind in self.known_types))

    @property
    def known_types(self) -> tuple[PartType, ...]:
        """The configured part types as the values that flow, in the order of the configuration."""
        return tuple(map(self.type_named, self.part_types))

    def effective_type(self, name: str) -> EffectiveType:
        """A part type's keys with those filled in that it takes from the tables for all types.

        Raises:
            KeyError: There is none.
        """
        kind = self.part_types[name]
        general = {
            "bundle": self.model.bundle,
            "min_confidence": self.decision.min_confidence,
            "deadline_ms": self.decision.deadline_ms,
            "spot_check": self.decision.spot_check,
            "archive": self.records.archive,
            "geometry": self.geometry,
            "light_reference": self.light.reference,
            "exposure_min_us": self.light.exposure_min_us,
            "exposure_max_us": self.light.exposure_max_us,
        }
        own = {key: value for key, value in kind if value not in (None, "")}
        return EffectiveType.model_validate(general | own)

    def type_named(self, name: str) -> PartType:
        """The configured part type of this name.

        Raises:
            KeyError: There is none.
        """
        return self.part_types[name].part_type(name, self.geometry)

    @model_validator(mode="after")
    def _part_types_fit_the_cell(self) -> Self:
        kinds = self.known_types
        problems = [problem for kind in kinds for problem in self._misfits(kind)]
        problems += setup_problems(self.camera, kinds)
        codes = [kind.code for kind in kinds]
        problems += [f"part_types: code {code} is used twice" for code in sorted(set(codes)) if codes.count(code) > 1]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _misfits(self, kind: PartType) -> list[str]:
        key = f"part_types.{kind.name}"
        problems = []
        if self.part_types[kind.name].rule == "cost" and self.decision.prices is None:
            problems.append(f'{key}: rule = "cost" takes decision.prices: escape, overkill and review')
        if kind.line_rate_hz > self.camera.max_line_rate_hz:
            problems.append(
                f"{key}: one turn in {kind.turn_s:.4f} s needs {kind.line_rate_hz:.0f} lines/s, "
                f"camera.max_line_rate_hz is {self.camera.max_line_rate_hz:.0f}; lower surface_speed_mm_s"
            )
        if kind.exposure_us > 1e6 / kind.line_rate_hz:
            problems.append(
                f"{key}: exposure_us {kind.exposure_us:g} is longer than a line, {1e6 / kind.line_rate_hz:.1f} us at "
                f"{kind.line_rate_hz:.0f} lines/s"
            )
        if problem := self.effective_type(kind.name).exposure_problem(1e6 / kind.line_rate_hz):
            problems.append(f"{key}: {problem}")
        if kind.speed_rpm > self.jig.max_speed_rpm:
            problems.append(f"{key}: needs {kind.speed_rpm:.0f} rpm, jig.max_speed_rpm is {self.jig.max_speed_rpm:g}")
        if kind.width_px + kind.width_tolerance_px + 2 * self.crop.margin_px > self.camera.width_px:
            problems.append(
                f"{key}: width_px {kind.width_px} with its margins is wider than camera.width_px {self.camera.width_px}"
            )
        return problems

    def part_type_of(self, code: int) -> PartType | None:
        """The configured type with this number on the PLC, or None."""
        return next((self.type_named(name) for name, kind in self.part_types.items() if kind.code == code), None)

    @property
    def scene_name(self) -> str | None:
        """Shared memory that the simulated camera looks at: the SimScene feature in camera.setup, or None."""
        return next((str(row.value) for row in self.camera.setup if row.feature == "SimScene"), None)

    @property
    def sha256(self) -> str:
        """Hash of the effective configuration, defaults included; stored with every record."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_settings(path: Path) -> Settings:
    """The configuration in a TOML file.

    Raises:
        ConfigError: The file cannot be read, or a key is unknown, missing, of a wrong kind, or contradicts another.
    """
    return read_configuration(path)[0]


def read_configuration(path: Path) -> tuple[Settings, bytes]:
    """The configuration in a TOML file, and the file's content.

    Raises:
        ConfigError: As for `load_settings`.
    """
    try:
        content = path.read_bytes()
        document = tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise ConfigError("config.unreadable", f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("config.unreadable", f"{path}: {error}") from error
    return parse_settings(document, str(path)), content


def parse_settings(document: dict[str, object], source: str) -> Settings:
    """The configuration in a parsed TOML document; `source` is named in errors.

    Raises:
        ConfigError: As for `load_settings`.
    """
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        raise ConfigError("config.invalid", f"{source}: " + "; ".join(map(_explain, error.errors()))) from error


def _explain(problem: ErrorDetails) -> str:
    key = ".".join(str(part) for part in problem["loc"] if part not in ("tcp", "rtu"))
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown key; `station settings` lists all keys"
    if problem["type"] == "missing":
        return f"{key}: must be given"
    if problem["type"] == "value_error":
        return f"{key}: {problem['ctx']['error']}" if key else str(problem["ctx"]["error"])
    return f"{key} = {problem['input']!r}: {problem['msg']}"


def runtime_dir() -> Path:
    """The user's folder for sockets, links and locks that live as long as a process."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(base) / f"inspection-station-{os.getuid()}"


def data_dir(settings: Settings, override: Path | None = None) -> Path:
    """Where database, archive and logs live: the command line's folder, the configuration's, or the user's."""
    if override is not None:
        return override
    if settings.station.data_dir:
        return Path(settings.station.data_dir).expanduser()
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "inspection-station" / settings.station.name


def expand(path: str) -> str:
    """A configured path with `{runtime}` filled in."""
    return path.replace("{runtime}", str(runtime_dir()))


def describe_settings(section: type[BaseModel] = Settings, prefix: str = "") -> list[tuple[str, str, str]]:
    """Every key of the configuration as (key, default, meaning), for `station settings`."""
    rows: list[tuple[str, str, str]] = []
    for name, field in section.model_fields.items():
        key = f"{prefix}{name}"
        nested = _sections(field.annotation)
        if not nested:
            default = "required" if field.is_required() else repr(field.default)
            rows.append((key, default, field.description or ""))
        for index, kind in enumerate(nested):
            label = f"{key}.NAME." if field.annotation == dict[str, PartTypeSettings] else f"{key}."
            known = {row[0] for row in rows} if index else set()
            rows += [row for row in describe_settings(kind, label) if row[0] not in known]
    return rows


def _sections(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [kind for part in getattr(annotation, "__args__", ()) for kind in _sections(part)]
