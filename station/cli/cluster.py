"""`station cluster`: computers that judge archives together; thin over Ray's own commands."""

import os
import sys
from importlib.util import find_spec
from typing import Annotated, NoReturn

import typer

from models.version import INSTALL_CLUSTER

cluster_app = typer.Typer(
    help="Computers that judge archives together.", no_args_is_help=True, rich_markup_mode=None
)  # fmt: skip

RAY = ("-m", "ray.scripts.scripts")
OBJECT_STORE_BYTES = 200_000_000
"""Rows pass through it, and no scan does; by itself Ray would take a third of the memory."""

AddressArgument = Annotated[
    str, typer.Argument(metavar="HOST:PORT", help="Of the computer that began the cluster, as it said.")
]
CpusOption = Annotated[
    int | None, typer.Option(min=0, help="Cores that this computer gives; by default all that it has.")
]
HostOption = Annotated[
    str | None, typer.Option(help="This computer's own address, by which the others reach it; by default Ray's guess.")
]


@cluster_app.command()
def start(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where others join.")] = 6379,
    cpus: CpusOption = None,
    host: HostOption = None,
) -> None:
    """Begin a cluster with this computer, and stay until Ctrl-C or SIGTERM.

    Whoever reaches the port can run any program here: use a network of its own, and no line's.
    """
    options = ["--head", f"--port={port}", "--include-dashboard=false", "--disable-usage-stats"]
    _become_ray("start", *options, *_shared(cpus, host))


@cluster_app.command()
def join(address: AddressArgument, cpus: CpusOption = None, host: HostOption = None) -> None:
    """Give this computer's cores to a cluster, and stay until Ctrl-C or SIGTERM.

    It needs the same version of the station, of Python and of the packages, and the same folders in the same places.
    """
    _require_cluster(address)
    _become_ray("start", f"--address={address}", *_shared(cpus, host))


@cluster_app.command()
def status(address: AddressArgument) -> None:
    """Say which computers there are, and what of them is used."""
    _require_cluster(address)
    _become_ray("status", f"--address={address}")


def _shared(cpus: int | None, host: str | None) -> list[str]:
    options = ["--block", f"--object-store-memory={OBJECT_STORE_BYTES}"]
    options += [] if cpus is None else [f"--num-cpus={cpus}"]
    return options + ([] if host is None else [f"--node-ip-address={host}"])


def _require_cluster(address: str) -> None:
    """Refuse to join or ask a cluster that is not there.

    Raises:
        ArchiveError: Nobody listens there, or Ray is not installed.
    """
    from station.offline.archive.reach import require_reachable

    _require_ray()
    require_reachable(address)


def _require_ray() -> None:
    from models.errors import ArchiveError

    if find_spec("ray") is None:
        raise ArchiveError("archive.not_installed", f"ray; in the project's folder: {INSTALL_CLUSTER}")


def _become_ray(*arguments: str) -> NoReturn:
    """Go on as Ray's own command.

    Raises:
        ArchiveError: Ray is not installed.
    """
    _require_ray()
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *RAY, *arguments])  # noqa: S606
