"""`station model keys|sign|publish|pull|shadow`: networks for many cells, from who signs them to who lets them in."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.version import INSTALL_RUN
from station.cli.terminal import REFUSED, ConfigOption, DataOption, err, out, refuse, settings_of
from station.core.errors import ConfigError, StationError
from station.core.records import time_asked

if TYPE_CHECKING:
    from models.fleet.incoming import Incoming
    from models.fleet.shadow import Shadow
    from station.core.settings import Settings

KeyOption = Annotated[Path, typer.Option("--key", metavar="FILE", help="The private key, of `station model keys`.")]
By = Annotated[str, typer.Option(help="Who signs; by default the user.")]
BundleFolder = Annotated[Path, typer.Argument(metavar="BUNDLE", help="A bundle's folder.")]
EVERY = 10
"""So often, in parts, what was judged is kept."""


def keys(place: Annotated[Path, typer.Argument(metavar="FILE", help="Where the private key goes; mode 0600.")]) -> None:
    """Make a key to sign bundles with, and print its public half for `fleet.trusted` of every cell."""
    _need_cryptography()
    from models.fleet.keys import fingerprint, make_key

    try:
        public = make_key(place)
    except StationError as error:
        refuse(error)
    out.print(f"private key in {place}; whoever has it can send networks to every cell that trusts it", soft_wrap=True)
    typer.echo(public)
    out.print(f"fingerprint {fingerprint(public)}", highlight=False)


def sign(folder: BundleFolder, key: KeyOption, by: By = "") -> None:
    """Answer for a bundle: write signature.json into its folder, over its manifest and with that every file."""
    _need_cryptography()
    from models.fleet.channel import sign_bundle
    from models.fleet.keys import fingerprint, read_key

    try:
        signature = sign_bundle(folder, read_key(key), by or getpass.getuser())
    except StationError as error:
        refuse(error)
    told = f"{signature.bundle} {signature.sha256[:12]} signed by {signature.by}, key {fingerprint(signature.key)}"
    out.print(told, highlight=False, soft_wrap=True, markup=False)


def publish(
    folder: BundleFolder,
    channel: Annotated[Path, typer.Argument(metavar="CHANNEL", help="Folder that cells pull from.")],
    ring: Annotated[list[int], typer.Option(min=1, help="Ring of cells that shall have it; may be repeated.")],
    key: KeyOption,
    by: By = "",
) -> None:
    """Offer a signed bundle to rings of cells; each fetches it when it next pulls."""
    _need_cryptography()
    from models.fleet.channel import Channel
    from models.fleet.keys import read_key

    try:
        rings = Channel(channel).publish(folder, ring, read_key(key), by or getpass.getuser())
    except StationError as error:
        refuse(error)
    for number, offer in rings.rings.items():
        out.print(f"ring {number}: {offer.bundle} {offer.sha256[:12]}", highlight=False, markup=False)
    out.print(f"offer number {rings.serial} in {channel}", highlight=False, markup=False, soft_wrap=True)


def pull(config: ConfigOption = None, data: DataOption = None) -> None:
    """Fetch what this cell's ring is offered, signed by somebody whom it trusts; nothing is activated."""
    _need_cryptography()
    from models.fleet.channel import Channel

    settings = settings_of(config, "simulate.toml")
    try:
        if not settings.fleet.channel:
            raise ConfigError("config.bad_option", "fleet.channel names no folder that bundles come through")
        incoming = _incoming(settings, data)
        pulled = incoming.pull(Channel(Path(settings.fleet.channel).expanduser()), settings.fleet.ring)
    except StationError as error:
        refuse(error)
    if pulled.bundle is None:
        out.print(f"ring {settings.fleet.ring} is offered nothing (offer number {pulled.serial})", highlight=False)
        return
    identity, folder = pulled.bundle.identity, pulled.bundle.folder
    state = "fetched" if pulled.is_new else "here already"
    for line in (
        f"{identity.name} {identity.sha256[:12]}: {state}, in {folder}",
        f"then: station model gate {folder} --golden REC, with this cell's own golden parts",
        f"      station model shadow {folder}, until {settings.fleet.shadow_parts} parts are judged",
        f"      station model promote {folder}",
    ):
        out.print(line, highlight=False, markup=False, soft_wrap=True)


def shadow(
    folder: BundleFolder,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Parts entered at this time or later; by default since the bundle came."),
    ] = None,
    parts: Annotated[int | None, typer.Option(min=1, help="Parts in all; by default fleet.shadow_parts.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Judge this cell's archived parts with a bundle beside the present one; it decides nothing.

    The same command goes on where it was. It takes what `[learn]` allows of a computer on which the station works.
    Exit status: 0 enough parts are judged, 1 not yet.
    """
    from models.fleet.shadow import shadow_of, write_shadow
    from station.host.bundles import find_shelf
    from station.learn.limits import Limits, held_back
    from station.offline.shadowing import Asked, judge_in_the_shadow

    settings = settings_of(config, "simulate.toml")
    most, models, allowed = parts or settings.fleet.shadow_parts, find_shelf(settings, data).folder, settings.learn

    def keep(now: "Shadow") -> None:
        if now.parts % EVERY == 0:
            write_shadow(shadow_of(models, now.sha256), now)

    try:
        asked, limits = Asked(folder, time_asked(since), most), Limits(allowed.cores, allowed.nice, allowed.memory_mb)
        judged = held_back(limits, lambda: judge_in_the_shadow(settings, data, asked, keep))
        write_shadow(shadow_of(models, judged.sha256), judged)
    except StationError as error:
        refuse(error)
    for one in judged.differences:
        told = f"{one.entered_at} {one.part_id} {one.part_type}: now {one.present}, then {one.new}"
        out.print(told, highlight=False, markup=False, soft_wrap=True)
    out.print(judged.in_words(settings.table.passing.name), highlight=False, markup=False, soft_wrap=True)
    if judged.parts < most:
        err.print(f"{judged.parts} of {most} parts: give the command again when more were judged", highlight=False)
        raise typer.Exit(1)


def _incoming(settings: "Settings", data: Path | None) -> "Incoming":
    from models.fleet.incoming import Incoming
    from station.host.bundles import find_shelf

    return Incoming(find_shelf(settings, data).folder, settings.fleet.trusted)


def _need_cryptography() -> None:
    from importlib.util import find_spec

    if find_spec("cryptography") is None:
        hint = f"this command needs one more package; in the project's folder: {INSTALL_RUN} -r requirements/fleet.txt"
        err.print(hint, markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(REFUSED)
