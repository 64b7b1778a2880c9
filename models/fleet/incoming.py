"""What a cell has pulled of what its ring is offered; see `models.fleet.places` for where it lies."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, ValidationError

from models.fleet.channel import Channel
from models.fleet.places import INCOMING, SEEN
from models.fleet.signed import Offer, demand_signature
from models.manifest import Bundle, load_bundle
from models.release.new_folder import new_folder
from station.core.durable import make_folder, write_whole
from station.core.errors import ModelError
from station.core.section import Section


class Seen(Section):
    """What was seen of the channel."""

    serial: int = Field(0, ge=0, description="The newest.")


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull came to.

    Attributes:
        bundle: What this cell's ring is offered, now here; None where nothing is.
        is_new: Whether it came just now.
        serial: Of the offer.
    """

    bundle: Bundle | None
    is_new: bool
    serial: int


class Incoming:
    """A cell's folder of models, as the fleet sees it.

    Args:
        folder: The station's folder of models.
        trusted: Public keys.
    """

    def __init__(self, folder: Path, trusted: Iterable[str]) -> None:
        self._folder, self._trusted = folder, tuple(trusted)

    def pull(self, channel: Channel, ring: int) -> Pulled:
        """Fetch what a ring is offered; what is here already is looked at again, and not fetched.

        Raises:
            ModelError: `model.bad_channel`, `model.untrusted`, also where an older offer was put back; or as
                `load_bundle`.
        """
        if not self._trusted:
            raise ModelError("model.untrusted", "fleet.trusted names no key, so nothing can be believed")
        rings = channel.rings(self._trusted)
        seen = self._seen()
        if rings.serial < seen.serial:
            told = f"{channel.folder}: the offer is number {rings.serial}, number {seen.serial} was seen here before"
            raise ModelError("model.untrusted", told)
        offer = rings.rings.get(str(ring))
        place = self.place(offer) if offer else None
        is_new = place is not None and not place.is_dir()
        if offer is not None and place is not None and is_new:
            self._fetch(channel.open(offer, self._trusted), place)
        self._note(Seen(serial=rings.serial))
        return Pulled(self.open(offer) if offer else None, is_new, rings.serial)

    def place(self, offer: Offer) -> Path:
        """Where a bundle lies here, if it does."""
        return self._folder / INCOMING / offer.folder

    def open(self, offer: Offer) -> Bundle:
        """A bundle that was pulled, checked again.

        Raises:
            ModelError: As `load_bundle`, or `model.untrusted`.
        """
        bundle = load_bundle(self.place(offer))
        demand_signature(bundle, self._trusted)
        return bundle

    def _fetch(self, bundle: Bundle, place: Path) -> None:
        with new_folder(place) as staged:
            for path in bundle.folder.iterdir():
                shutil.copyfile(path, staged / path.name)
            demand_signature(load_bundle(staged), self._trusted)  # what was copied, not what was looked at before

    def _seen(self) -> Seen:
        path = self._folder / SEEN
        try:
            return Seen.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return Seen(serial=0)
        except (OSError, ValidationError) as error:
            told = (
                f"{path}: it cannot be read, so nobody knows which offers are old; put it right or remove it: {error}"
            )
            raise ModelError("model.bad_channel", told) from error

    def _note(self, seen: Seen) -> None:
        try:
            make_folder(self._folder)
            write_whole(self._folder / SEEN, f"{seen.model_dump_json()}\n".encode())
        except OSError as error:
            raise ModelError("config.file_failed", f"{self._folder / SEEN}: {error.strerror}") from error
