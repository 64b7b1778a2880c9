"""The faults of the station: one table with code, number, operator text and reaction, and the errors that carry them.

    StationError                 carries one Fault of the table and the detail of this occurrence
    ├── DeviceError              a device does not do what it was asked, or cannot be reached
    │   ├── CameraError
    │   ├── JigError
    │   ├── RobotError
    │   └── PlcError
    ├── PartError                this part, or its scan, cannot be judged
    ├── ModelError               the network's bundle or its answers cannot be trusted
    ├── DatasetError             a data set cannot be made, read or written
    ├── TrainingError            a network cannot be trained, or not on with it
    ├── RecordError              a record cannot be written or read
    ├── RecordingError           a recording, or one scan of it, cannot be used
    ├── BackupError              a backup cannot be made, or not be restored
    ├── ControlError             a command does not reach the running station
    ├── ConfigError              a setting, a map or a command line is wrong; nothing was started
    └── BugError                 the station's own fault

Drivers translate every foreign exception into one of these. The number is the reason code on the line PLC.
"""

from dataclasses import dataclass
from enum import StrEnum


class Reaction(StrEnum):
    """What the station does about a fault; `REACTIONS` says what that means and how the fault is cleared."""

    RESCAN = "rescan"
    REVIEW = "review"
    HOLD = "hold"
    SUSPEND = "suspend"
    ABORT = "abort"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Conduct:
    """What a reaction means.

    Attributes:
        does: What the station does.
        latched: Whether the fault stays an alarm until a person has acted.
        cleared: How the fault is cleared.
    """

    does: str
    latched: bool
    cleared: str


REACTIONS: dict[Reaction, Conduct] = {
    Reaction.RESCAN: Conduct(
        "The part is scanned once more; if that fails too, it goes to review. The cell goes on.", False, "by itself"
    ),
    Reaction.REVIEW: Conduct("The part goes to review. The cell goes on.", False, "by itself"),
    Reaction.HOLD: Conduct(
        "The part goes to review if it can be moved; the cell comes to rest in Held.",
        True,
        "mend the cause, then Unhold (from Stopped: Reset)",
    ),
    Reaction.SUSPEND: Conduct(
        "The part in work waits or is finished; the cell is Suspended.", False, "by itself, when the line is well again"
    ),
    Reaction.ABORT: Conduct(
        "The jig stops, nothing else moves; the cell is Aborted.", True, "make safe, then Clear, Reset, Start"
    ),
    Reaction.REFUSE: Conduct(
        "The command is refused; nothing is started or moved.", False, "correct what is named, try again"
    ),
    Reaction.WITHDRAW: Conduct(
        "The part stays where it lies, its inspection is closed without a verdict; the cell goes on with what the line "
        "PLC announces and permits now.",
        False,
        "by itself",
    ),
    Reaction.WARN: Conduct("It is an alarm, and nothing else; the cell goes on.", False, "by itself"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the fault table.

    Attributes:
        number: Reason code on the PLC, 1 to 65535; the thousands name the family.
        code: Name for records, logs and JSON, `family.what`.
        text: What an operator reads: what is wrong, and what to do.
        reaction: What the station does.
    """

    number: int
    code: str
    text: str
    reaction: Reaction


_N, _R, _H = Reaction.RESCAN, Reaction.REVIEW, Reaction.HOLD
_S, _A, _X, _W, _L = Reaction.SUSPEND, Reaction.ABORT, Reaction.REFUSE, Reaction.WITHDRAW, Reaction.WARN

# fmt: off
_ROWS = (
    # 1xxx camera
    Fault(1001, "camera.no_producer", "No GenTL producer (.cti) was found that can be used. Install the camera's driver or correct camera.producers.", _X),
    Fault(1002, "camera.not_found", "The camera was not found, or cannot be opened. Check its cable and power, camera.serial_number, and that no other program has it.", _H),
    Fault(1003, "camera.lost", "The connection to the camera broke. It is opened again by itself; check its cable and power where that fails.", _N),
    Fault(1004, "camera.feature_refused", "The camera refused a setting. Compare camera.setup with the camera's manual.", _H),
    Fault(1005, "camera.timeout", "The camera delivered no lines in time. Check the index pulse and the trigger wiring.", _N),
    Fault(1006, "camera.process_died", "The camera's process ended or did not answer. It is started again by itself; where that fails, read the reason in the detail.", _N),
    Fault(1007, "camera.bad_image", "The camera delivers another image format than agreed. Check PixelFormat, Width and Height.", _H),
    Fault(1008, "camera.not_back", "The camera was lost and did not come back by itself. Check its cable and power, then Unhold.", _H),
    # 2xxx part and scan
    Fault(2001, "scan.incomplete", "Lines of the scan are missing. Look at the camera's cable if it comes back.", _N),
    Fault(2002, "scan.out_of_order", "Blocks of the scan were repeated or came out of order. Look at the camera's cable if it comes back.", _N),
    Fault(2003, "scan.late", "The judgement came after its deadline. Inspect the part again.", _R),
    Fault(2004, "scan.judged_in_part", "Not every patch of the part was judged. Inspect the part again.", _R),
    Fault(2005, "scan.failing", "Scan after scan failed. Look at the last reason in the detail, then Unhold.", _H),
    Fault(2006, "scan.not_turned", "The picture of the part stands still, wholly or in a stretch. Check that the chuck holds the part and that the camera works.", _N),
    Fault(2007, "scan.repeated", "A stretch of the scan comes again. Check the jig's speed, and the camera where it comes back.", _N),
    Fault(2008, "scan.not_closed", "The scan's end does not meet its beginning: it is no whole turn. Check the chuck, the jig's speed and the line rate.", _N),
    Fault(2101, "part.jig_empty", "No part is seen, although the chuck's sensor tells of one. Check the lamp, and look whether the part is there.", _R),
    Fault(2102, "part.at_sensor_edge", "The part reaches the edge of the camera's view. Check how it sits on the jig.", _R),
    Fault(2103, "part.wrong_width", "The part's width is not that of the announced type. Check the type and how it sits.", _R),
    Fault(2104, "part.edge_wanders", "The part's edges wander while it turns. Check how it sits on the jig.", _R),
    Fault(2105, "part.two_objects", "More than one object is in the camera's view. Clear the jig.", _R),
    Fault(2106, "part.unknown_type", "The announced part type is not configured. Add it to part_types or correct the PLC.", _S),
    Fault(2107, "part.too_dark", "The part is too dark to be judged. Check the lamp and the exposure.", _R),
    Fault(2108, "part.low_confidence", "The judgement's confidence is under the configured minimum. Inspect the part by eye.", _R),
    Fault(2109, "part.interrupted", "The inspection was interrupted. Inspect the part again.", _R),
    Fault(2110, "part.bad_id", "The announced part id is empty or has characters other than printable ASCII. Correct the PLC.", _S),
    Fault(2111, "part.unexpected", "A part that the station does not know is on the jig or in the gripper. Remove it by hand, then Reset.", _H),
    Fault(2112, "part.saturated", "The part is too bright to be judged. Check the lamp and the exposure.", _R),
    Fault(2113, "part.withdrawn", "The line PLC withdrew or changed the part before it was loaded; nothing was moved. Where nobody wanted that, let its program hold the announcement until the robot has taken the part.", _W),
    # 3xxx jig
    Fault(3001, "jig.unreachable", "The spin jig cannot be reached. Where it is silent check its power and the RS-485 cable, else what the detail says of the port.", _H),
    Fault(3002, "jig.not_at_speed", "The spin jig did not reach its speed in time. Check the drive and the chuck.", _H),
    Fault(3003, "jig.not_stopped", "The spin jig did not come to a standstill in time. Keep away from it and check the drive.", _A),
    Fault(3004, "jig.fault", "The spin jig reports a fault. Read the drive's fault number in the detail.", _H),
    Fault(3005, "jig.refused", "The spin jig refused an order. Read the reason in the detail.", _H),
    Fault(3006, "jig.wrong_map", "The spin jig's registers do not hold what they must. Check unit id, map version and what the detail names.", _H),
    Fault(3007, "jig.slipped", "The spin jig did not keep its speed during the scan. Check the chuck and the drive.", _N),
    # 4xxx robot
    Fault(4001, "robot.unreachable", "The robot cannot be reached, or its program stands still. Check its power, its network cable and its program.", _H),
    Fault(4002, "robot.no_acknowledge", "The robot did not take an order in time. Check that its program runs.", _H),
    Fault(4003, "robot.not_done", "The robot did not finish an order in time. Look where it stands.", _H),
    Fault(4004, "robot.fault", "The robot reports a fault. Read its fault number in the detail.", _H),
    Fault(4005, "robot.refused", "The robot refused an order. Read the reason in the detail.", _H),
    Fault(4006, "robot.not_in_safe_zone", "The robot is not in its safe zone. Move it there before the jig may turn.", _H),
    Fault(4007, "robot.wrong_bin", "The robot confirmed another place than ordered. Find the part and treat it as unjudged.", _H),
    Fault(4008, "robot.wrong_map", "The robot's registers do not hold what they must. Check unit id, map version and what the detail names.", _H),
    Fault(4009, "robot.part_lost", "The robot lost the part. Find it and treat it as unjudged.", _H),
    # 5xxx line PLC
    Fault(5001, "plc.unreachable", "The line PLC does not answer. Check the network; the cell goes on by itself.", _S),
    Fault(5002, "plc.stale", "The line PLC's heartbeat stands still. Check its program; the cell goes on by itself.", _S),
    Fault(5003, "plc.illegal_command", "The line PLC sent a command that this state does not accept. Nothing was done.", _X),
    Fault(5004, "plc.no_permission", "The line PLC withdrew the permission to run. The cell goes on when it is given again.", _S),
    Fault(5005, "plc.wrong_map", "The line PLC's registers do not hold what they must. Check unit id, map version and what the detail names.", _H),
    Fault(5006, "plc.starved", "No part is waiting at the infeed. The cell goes on with the next part.", _S),
    Fault(5007, "plc.result_not_taken", "The line PLC did not acknowledge a result in time. Check its program.", _S),
    Fault(5008, "plc.port_in_use", "The station's Modbus server cannot listen: another program has the port. Change plc.link.port.", _X),
    Fault(5009, "plc.bin_full", "The bin for this part is full. Empty it; the cell goes on by itself.", _S),
    Fault(5010, "plc.overwritten", "The line PLC does not keep the station's registers. Check what else clears or writes them.", _S),
    Fault(5012, "plc.port_not_permitted", "The station's Modbus server may not listen on its port: one below 1024 needs a right that the station does not have. Give it CAP_NET_BIND_SERVICE, or set plc.link.port to 1024 or more.", _X),
    Fault(5013, "plc.cannot_listen", "The station's Modbus server cannot listen at its address. Read the reason in the detail; plc.link.host must be an address of this computer, or 0.0.0.0 for all it has.", _X),
    Fault(5014, "plc.two_masters", "Two addresses of plc.commanders command the station in turn. Stop one of them; the cell goes on by itself.", _S),
    # 6xxx network model
    Fault(6001, "model.missing", "The model bundle, or a file of it, is missing. Install it or correct model.bundle.", _X),
    Fault(6002, "model.wrong_hash", "A file of the model bundle is not the one its manifest names. Install the bundle again.", _X),
    Fault(6003, "model.bad_manifest", "The model bundle's manifest cannot be used. Install the bundle again.", _X),
    Fault(6004, "model.bad_scores", "The network's answer is no set of probabilities. Check the model bundle.", _H),
    Fault(6005, "model.engine_failed", "The inference engine failed. Restart the station; if it stays, check the model bundle.", _H),
    Fault(6006, "model.not_promoted", "The bundle is not the one that was promoted. Promote it, or put the promoted one back.", _X),
    Fault(6007, "model.bad_history", "The history of promoted bundles is not whole. Restore it with `station backup restore --only models`; it is never repaired by itself.", _X),
    Fault(6008, "model.not_passed", "The bundle has not passed the gate. Run `station model gate`, or give a reason to do without.", _X),
    Fault(6009, "model.unknown", "There is no such bundle. `station model list` shows those there are.", _X),
    Fault(6010, "model.exists", "Something lies there already. Nothing was overwritten; give another name or folder.", _X),
    Fault(6011, "model.export_failed", "The bundle cannot be made. Correct what is named; nothing was overwritten.", _X),
    Fault(6012, "model.engine_unavailable", "The engine or precision chosen cannot run here. Correct model.engine or model.precision.", _X),
    Fault(6013, "model.wrong_classes", "The network does not answer the classes of the configuration. Give a bundle that does, or correct [[classes]].", _X),
    Fault(6014, "model.wrong_geometry", "The network was made for another geometry than a part type has. Correct the geometry of the part type, or give a bundle made for it.", _X),
    # 61xx training of networks
    Fault(6101, "training.bad_plan", "These choices for a training contradict each other, or one is out of range. Correct those named.", _X),
    Fault(6102, "training.bad_data", "The data set cannot be trained on. Give every class images, in training and in validation.", _X),
    Fault(6103, "training.other_run", "The folder holds another training. Nothing was overwritten; repeat its options, or give another folder.", _X),
    Fault(6104, "training.bad_checkpoint", "The checkpoint cannot be used. Give a whole one, of this network.", _X),
    Fault(6105, "training.bad_weights", "The file of weights to begin with does not fit the network. Give another file, or train without.", _X),
    Fault(6106, "training.diverged", "The loss is no number any more; the last checkpoint is from before. Train anew with a lower rate.", _X),
    Fault(6107, "training.out_of_memory", "The memory does not suffice for this training. Take smaller batches; nothing that was reached is lost.", _X),
    Fault(6108, "training.disk_failed", "A checkpoint cannot be written. Make room on the disk, then give the same command again; it goes on.", _X),
    Fault(6109, "training.no_device", "The device for training is not there, or cannot compute at this precision. Choose another.", _X),
    Fault(6110, "training.in_use", "Another training is at work in this folder. Wait for it, or give another folder.", _X),
    # 62xx data sets
    Fault(6201, "dataset.unreadable", "The data set, or a file of it, cannot be used. Make it again.", _X),
    Fault(6202, "dataset.wrong_hash", "A file of the data set is not the one its manifest names. Make it again.", _X),
    Fault(6203, "dataset.exists", "Something lies there already. Nothing was overwritten; give another folder.", _X),
    Fault(6204, "dataset.bad_source", "The pictures cannot be made into a data set. Correct what is named.", _X),
    Fault(6205, "dataset.bad_choice", "These choices for a data set contradict each other, or one is out of range. Correct those named.", _X),
    Fault(6206, "dataset.disk_failed", "The data set cannot be written. Make room on the disk, or give another folder.", _X),
    # 7xxx records and disk
    Fault(7001, "record.disk_failed", "Records cannot be written or read. Check that the disk is well and not full, that its files are permitted to the station, and that the data folder is in its place.", _H),
    Fault(7002, "record.database_damaged", "The database cannot be used. Restore it with `station backup restore --only database`, or move it away to start a new one.", _H),
    Fault(7003, "record.newer_schema", "The database was written by a newer version. Install that version, or restore what was saved before the upgrade with `station backup restore`.", _X),
    Fault(7004, "record.unknown", "There is no such record, or no record at all in this data folder.", _X),
    Fault(7005, "record.in_use", "Another process uses this data folder. End the one named, or give another folder.", _X),
    Fault(7006, "record.locked", "Another program has the database locked. End the one named; then Unhold (from Stopped: Reset).", _H),
    Fault(7007, "record.disk_low", "The disk is nearly full. Make room, or keep fewer scans; what is left is the records' alone.", _L),
    Fault(7008, "record.journal_grows", "Another program reads the database without an end, so that its journal grows. End the one named.", _L),
    # 75xx recordings
    Fault(7501, "recording.not_found", "The recording is no folder, or no scan in it can be used.", _X),
    Fault(7502, "recording.bad_line", "A line of recording.jsonl cannot be used; its scan is left out.", _X),
    Fault(7503, "recording.bad_image", "An image of the recording cannot be used; it is left out.", _X),
    Fault(7504, "recording.duplicate_part", "A part id appears twice in recording.jsonl; the second scan is left out.", _X),
    Fault(7505, "recording.path_outside", "A file of recording.jsonl lies outside the recording's folder; it is left out.", _X),
    Fault(7506, "recording.exists", "The folder holds a recording already. Nothing was overwritten; give another folder.", _X),
    Fault(7507, "recording.not_written", "The recording cannot be written. Make room on the disk, or give another folder.", _X),
    # 76xx backups
    Fault(7601, "backup.unreadable", "This is no backup, or one of another program version. Give the folder that `station backup make` named.", _X),
    Fault(7602, "backup.altered", "The backup is not as it was made: a file is missing, was changed, or came in. Take another backup.", _X),
    Fault(7603, "backup.not_written", "A backup cannot be written there, or not be restored there. Make room on the disk, or give another place.", _X),
    # 8xxx configuration
    Fault(8001, "config.unreadable", "The configuration cannot be read. Correct its path, its rights, or the file at the place named.", _X),
    Fault(8002, "config.invalid", "The configuration contradicts itself or has a wrong value. Correct the keys named.", _X),
    Fault(8003, "config.bad_map", "A register map cannot be used. Correct the file at the place named.", _X),
    Fault(8004, "config.port_in_use", "A port that the simulated cell needs is in use. Stop the other program or change the port.", _X),
    Fault(8005, "config.simulator_failed", "The simulated cell did not start, or the station at it. Read its output in the detail.", _X),
    Fault(8006, "config.simulator_gone", "The simulated cell ended, or fell silent, before all its parts were through. Read the detail.", _X),
    Fault(8007, "config.file_failed", "A file or folder that is needed cannot be read or written. Check its path, its rights and the room on its disk.", _X),
    Fault(8008, "config.bad_option", "The command's options contradict each other, or one is wrong. Correct what is named.", _X),
    Fault(8010, "config.not_compiled", "A compiled part of the station is missing, or is of another version or computer. Install the station again.", _X),
    # 9xxx the station itself
    Fault(9001, "station.bug", "The station met an error of its own. Note the time and send the log to its makers.", _A),
    Fault(9002, "station.value_out_of_range", "A value does not fit its register. Note the time and send the log to its makers.", _A),
    Fault(9003, "station.illegal_command", "This state does not accept the command. Nothing was done.", _X),
    Fault(9004, "station.stopped_by_operator", "The cell was stopped or held by an operator's command.", _X),
    Fault(9005, "station.no_such_alarm", "There is no such alarm to acknowledge. `station alarms list` shows those there are.", _X),
    # 91xx commands to a running station
    Fault(9101, "control.no_station", "No station runs with this data folder. Start it, or name its configuration or its data folder.", _X),
    Fault(9102, "control.no_answer", "The station with this data folder does not answer. Look into its log, and ask again.", _X),
    Fault(9103, "control.stranger", "Another user's program answers in the station's place. Nothing was sent; end that program.", _X),
    Fault(9104, "control.not_permitted", "You may not command this station. Do it as its own user, or become a member of its group.", _X),
    Fault(9105, "control.no_socket", "The station's socket for commands cannot be made in the data folder. Correct what is named.", _X),
)
# fmt: on

FAULTS: dict[str, Fault] = {row.code: row for row in _ROWS}
"""The whole table, by code, in the order of the numbers."""


class StationError(Exception):
    """A fault that happened: its row of the table, and what was seen this time.

    Args:
        code: A code of `FAULTS`.
        detail: What, where and how much, for the log and for whoever repairs it.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        self.fault = FAULTS[code]
        self.detail = detail
        super().__init__(code, detail)

    def __str__(self) -> str:
        """The operator's text, then the detail."""
        return f"{self.fault.text} ({self.detail})" if self.detail else self.fault.text

    @property
    def code(self) -> str:
        """The fault's code, for example `camera.lost`."""
        return self.fault.code


class DeviceError(StationError):
    """A device does not do what it was asked, or cannot be reached."""


class CameraError(DeviceError):
    """The camera, its producer or its process."""


class JigError(DeviceError):
    """The spin jig or the line to it."""


class RobotError(DeviceError):
    """The robot or the line to it."""


class PlcError(DeviceError):
    """The line PLC or the line to it."""


class PartError(StationError):
    """This part, or its scan, cannot be judged."""


class ModelError(StationError):
    """The network's bundle or its answers cannot be trusted."""


class TrainingError(StationError):
    """A network cannot be trained so, or not on with it."""


class DatasetError(StationError):
    """A data set cannot be made, read or written."""


class RecordError(StationError):
    """A record cannot be written or read."""


class RecordingError(StationError):
    """A recording, or one scan of it, cannot be used."""


class BackupError(StationError):
    """A backup cannot be made, used or restored."""


class ControlError(StationError):
    """A command does not reach the running station."""


class ConfigError(StationError):
    """A setting, a register map or a command line is wrong."""


class BugError(StationError):
    """The station's own fault."""
