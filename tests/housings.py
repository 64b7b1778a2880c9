"""What tests know of housings: the default table, its verdicts and places by name, and how they are decided."""

from drivers.jig import ModbusJig
from drivers.modbus.register_map import load_map
from drivers.modbus.rhythm import Rhythm
from drivers.plc.acceptance import NOTHING
from drivers.plc.plc import ModbusPlc
from drivers.robot import ModbusRobot
from station.core.algorithm1 import RuleName
from station.core.part import Announcement
from station.core.recipe import DecisionRule
from station.core.settings import JigSettings, PlcSettings, RobotSettings
from station.core.table import default_geometry, housings
from station.core.verdicts import Inspected, Place
from station.core.verdicts import Verdict as Row

TABLE = housings()
GEOMETRY = default_geometry().value()
CLASSES = ("defect_free", "imprinted", "pits", "roll_marks", "scratches")
OUTPUTS = TABLE.outputs(CLASSES)
INSPECTED = Inspected(TABLE, GEOMETRY.patches_per_part)


class Verdict:
    """The verdicts of housings."""

    DEFECT_FREE, IMPRINTED, PITS, ROLL_MARKS, SCRATCHES = OUTPUTS.surfaces
    REVIEW = TABLE.review


def _place(name: str) -> Place:
    return next(place for place in TABLE.places if place.name == name)


class Destination:
    """The places of housings."""

    SECOND_INSPECTION = _place("second_inspection")
    BIN_IMPRINTED = _place("bin_imprinted")
    BIN_PITS = _place("bin_pits")
    BIN_ROLL_MARKS = _place("bin_roll_marks")
    BIN_SCRATCHES = _place("bin_scratches")
    BIN_REVIEW = _place("bin_review")


def rule(min_confidence: float = 0.5, deadline_ms: float = 500.0, name: RuleName = "algorithm1") -> DecisionRule:
    """How parts are decided."""
    return DecisionRule(OUTPUTS, GEOMETRY, TABLE.review, name, min_confidence, deadline_ms)


def column(surface: Row) -> int:
    """Where the network's answers tell of this class."""
    return OUTPUTS.surfaces.index(surface)


def line_plc(settings: PlcSettings, accepted: Announcement = NOTHING) -> ModbusPlc:
    """The driver of the line PLC, with the map and the places of housings."""
    return ModbusPlc(settings, load_map("plc", INSPECTED), TABLE, accepted)


def modbus_robot(settings: RobotSettings, rhythm: Rhythm | None = None) -> ModbusRobot:
    """The driver of the robot, with the places of housings."""
    return ModbusRobot(settings, load_map("robot", INSPECTED), rhythm=rhythm)


def modbus_jig(settings: JigSettings, rhythm: Rhythm | None = None) -> ModbusJig:
    """The driver of the jig."""
    return ModbusJig(settings, load_map("jig", INSPECTED), rhythm=rhythm)
