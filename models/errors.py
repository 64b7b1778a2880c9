"""The faults of training, data sets, labels and archives: nothing of them runs in a cell, and no line PLC reads them.

    StationError
    ├── ArchiveError             an archive cannot be inspected again, or not on this cluster
    ├── DatasetError             a data set cannot be made, read or written
    ├── LabelError               a label cannot be said, written or read
    └── TrainingError            a network cannot be trained, or not on with it

Their numbers, 61xx to 64xx, are kept free in the station's own table, so that every fault has a number of its own.
"""

from operator import attrgetter

from station.core.errors import FAULTS, StationError
from station.core.fault import Fault, Reaction, by_code

# fmt: off
TRAINING = (  # 61xx training of networks
    Fault(6101, "training.bad_plan", "These choices for a training contradict each other, or one is out of range. Correct those named.", Reaction.REFUSE),
    Fault(6102, "training.bad_data", "The data set cannot be trained on. Give every class images, in training and in validation.", Reaction.REFUSE),
    Fault(6103, "training.other_run", "The folder holds another training. Nothing was overwritten; repeat its options, or give another folder.", Reaction.REFUSE),
    Fault(6104, "training.bad_checkpoint", "The checkpoint cannot be used. Give a whole one, of this network.", Reaction.REFUSE),
    Fault(6105, "training.bad_weights", "The file of weights to begin with does not fit the network. Give another file, or train without.", Reaction.REFUSE),
    Fault(6106, "training.diverged", "The loss is no number any more; the last checkpoint is from before. Train anew with a lower rate.", Reaction.REFUSE),
    Fault(6107, "training.out_of_memory", "The memory does not suffice for this training. Take smaller batches; nothing that was reached is lost.", Reaction.REFUSE),
    Fault(6108, "training.disk_failed", "A checkpoint cannot be written. Make room on the disk, then give the same command again; it goes on.", Reaction.REFUSE),
    Fault(6109, "training.no_device", "The device for training is not there, or cannot compute at this precision. Choose another.", Reaction.REFUSE),
    Fault(6110, "training.in_use", "Another training is at work in this folder. Wait for it, or give another folder.", Reaction.REFUSE),
    Fault(6111, "training.part_was_late", "A part was judged late while the station learnt, so learning was stopped. Let the same command go on when the line has time, or give [learn] fewer cores.", Reaction.REFUSE),
    Fault(6113, "training.collapsed", "The images that are drawn have become all alike; what was learnt before that is kept. Train anew with another seed, a lower rate or more images.", Reaction.REFUSE),
    Fault(6112, "training.step_failed", "A step of learning failed for the reason above; what was reached is kept. Correct it, then give the same command again; it goes on.", Reaction.REFUSE),
)
DATA_SETS = (  # 62xx data sets
    Fault(6201, "dataset.unreadable", "The data set, or a file of it, cannot be used. Make it again.", Reaction.REFUSE),
    Fault(6202, "dataset.wrong_hash", "A file of the data set is not the one its manifest names. Make it again.", Reaction.REFUSE),
    Fault(6203, "dataset.exists", "Something lies there already. Nothing was overwritten; give another folder.", Reaction.REFUSE),
    Fault(6204, "dataset.bad_source", "The pictures cannot be made into a data set. Correct what is named.", Reaction.REFUSE),
    Fault(6205, "dataset.bad_choice", "These choices for a data set contradict each other, or one is out of range. Correct those named.", Reaction.REFUSE),
    Fault(6206, "dataset.disk_failed", "The data set cannot be written. Make room on the disk, or give another folder.", Reaction.REFUSE),
)
LABELS = (  # 63xx labels
    Fault(6301, "label.disk_failed", "Labels cannot be written or read; nothing was changed. Check that the disk is well and not full, and that the data folder is permitted to you.", Reaction.REFUSE),
    Fault(6302, "label.database_damaged", "The database of the labels cannot be used. Restore it with `station backup restore --only labels`, or move it away to start a new one.", Reaction.REFUSE),
    Fault(6303, "label.newer_schema", "The labels were written by a newer version. Install that version; nothing was changed.", Reaction.REFUSE),
    Fault(6304, "label.locked", "Another program has the labels locked; nothing was changed. End the one named, then try again.", Reaction.REFUSE),
    Fault(6305, "label.unknown_class", "There is no such class to label with. Give one of those named.", Reaction.REFUSE),
    Fault(6306, "label.outside", "The part has no such place. Give a patch or a box that lies in its scan.", Reaction.REFUSE),
    Fault(6307, "label.bad_scan", "There is no scan that could be labelled so, or it is not whole. Give another one, or label the part as a whole.", Reaction.REFUSE),
    Fault(6308, "label.other_geometry", "The scan is not cut into such patches. Label a box, or give the part type that it is of.", Reaction.REFUSE),
    Fault(6309, "label.nothing_said", "This person has said nothing of it that could be withdrawn. `station label show` tells what was said.", Reaction.REFUSE),
    Fault(6310, "label.said_later", "What this person says of it bears a later time than now. Set the computer's clock right; nothing was changed.", Reaction.REFUSE),
    Fault(6321, "label.import_refused", "The labels from elsewhere cannot be taken in; none was. Correct what is named.", Reaction.REFUSE),
    Fault(6322, "label.not_written", "The labels cannot be written there; nothing was overwritten. Give another place, or make room on the disk.", Reaction.REFUSE),
    Fault(6330, "label.study_unusable", "The study cannot be evaluated with this file. Correct what is named.", Reaction.REFUSE),
    Fault(6331, "label.no_study", "There is no such study. `station msa list` shows those there are.", Reaction.REFUSE),
)
ARCHIVES = (  # 64xx archives that are inspected again, and the computers that do it
    Fault(6401, "archive.not_installed", "The packages for archives and clusters are not installed. Install those of requirements/cluster.txt.", Reaction.REFUSE),
    Fault(6402, "archive.other_rules", "The results in this folder were judged by other rules. Nothing was added; give the same configuration, or another folder.", Reaction.REFUSE),
    Fault(6403, "archive.in_use", "Another inspection is at work in this folder of results. Wait for it, or give another folder.", Reaction.REFUSE),
    Fault(6404, "archive.bad_results", "The results cannot be read or written. Make room on the disk, or move away what is named; nothing else is lost.", Reaction.REFUSE),
    Fault(6405, "archive.worker_ended", "The process that judges ended again and again. Read the reason in the detail.", Reaction.REFUSE),
    Fault(6406, "archive.scan_changed", "The scan is not the one that was archived. Find out who changed it; a backup has the old one.", Reaction.REFUSE),
    Fault(6407, "archive.no_cluster", "The cluster cannot be used. Start it with `station cluster start`, and have every computer run this version.", Reaction.REFUSE),
    Fault(6408, "archive.unknown_model", "The results have no rows of this network, or of more than one. Give one of those named.", Reaction.REFUSE),
    Fault(6409, "archive.unread", "The scan cannot be read. Mend what is named; the same command tries it again.", Reaction.REFUSE),
    Fault(6410, "archive.no_store", "The store with the scans cannot be used. Check the bucket, the table central.store and the key; what was judged is kept.", Reaction.REFUSE),
)
# fmt: on

OFF_THE_LINE = by_code(TRAINING, DATA_SETS, LABELS, ARCHIVES)
"""The faults of this module by code."""

EVERY_FAULT = by_code(sorted([*FAULTS.values(), *OFF_THE_LINE.values()], key=attrgetter("number")))
"""The station's and these, by code, in the order of the numbers."""


class ArchiveError(StationError):
    """An archive cannot be inspected again so, or a scan of it."""

    faults = by_code(ARCHIVES)


class DatasetError(StationError):
    """A data set cannot be made, read or written."""

    faults = by_code(DATA_SETS)


class LabelError(StationError):
    """A label cannot be said, written or read."""

    faults = by_code(LABELS)


class TrainingError(StationError):
    """A network cannot be trained so, or not on with it."""

    faults = by_code(TRAINING)
