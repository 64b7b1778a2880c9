"""A plant whose parts are labelled, and a bundle to begin with, for tests of `station learn`. Needs torch."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import torch

from models.networks import NETWORKS
from models.release.graphs import to_state
from station.labels.label import Patch
from station.learn.sides import CALIBRATES, HELD_OUT, lot
from tests.bundles import GREYS, SOUND, sealed, write_grey_graph
from tests.plants import Plant
from tests.turned import GEOMETRY
from tests.unit.housings import CLASSES

NETWORK = "sca-cnn"
QUICK = ("--epochs", 1, "--items-per-epoch", 32, "--batch", 16)


def names(side: range, prefix: str) -> Iterator[str]:
    """Names of parts that have a lot within these."""
    return (name for number in count() if lot(name := f"{prefix}-{number}") in side)


def make_plant(folder: Path) -> Plant:
    """Two parts of each class to learn from, and a good and a defective one that judge."""
    classes: dict[str, str] = {}
    for name in CLASSES:
        learnt = names(range(CALIBRATES, 100), name)
        classes |= dict.fromkeys([next(learnt), next(learnt)], name)
    for name in CLASSES[:2]:
        classes[next(names(range(HELD_OUT), name))] = name
    plant = Plant.at(folder, dict.fromkeys(classes, "pits"))
    for part_id, name in classes.items():
        plant.say(part_id, name)
        if name != CLASSES[0]:
            for patch in range(GEOMETRY.patches_per_part):
                plant.say(part_id, name, region=Patch(patch, GEOMETRY))
    return plant


def make_present(folder: Path) -> Path:
    """A bundle that judges by grey values and has the weights of a network, so that both can be used."""
    folder.mkdir()
    for name in ("model.xml", "int8.xml"):
        write_grey_graph(folder / name, GREYS, GEOMETRY, 0.02)
    torch.manual_seed(1)
    network = NETWORKS[NETWORK].make(len(CLASSES), GEOMETRY.patch_px, GEOMETRY.patch_px)
    (folder / "network.pt").write_bytes(to_state(network.eval()))
    sealed(folder, network=NETWORK, parity=(SOUND,))
    return folder


def configured(text: str, folder: Path, learn: str) -> str:
    """A configuration that judges by a bundle made in a folder, and learns so.

    Args:
        text: The simulated cell's.
        folder: For the bundle.
        learn: Keys of the table [learn].
    """
    text = text.replace('bundle = "promoted"', f'bundle = "{make_present(folder / "present-1")}"')
    return f"{text}\n[learn]\nleast_parts = 2\nroom_mb = 0\nmemory_mb = 0\n{learn}"
