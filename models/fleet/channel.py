"""The folder through which networks reach the cells: bundles with their signatures, and who shall have which.

    CHANNEL/bundles/NAME-HASH/    a bundle, with signature.json
    CHANNEL/rings.json            signed: the bundle of each ring of cells

Any share, or a folder that something else keeps in step with one, will do: nothing there is believed but what a trusted
person signed. Cells pull; nobody pushes, so that a cell which is off today has its network tomorrow.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.fleet.keys import public_text
from models.fleet.signed import (
    RINGS,
    SIGNATURE,
    BundleSignature,
    Offer,
    Rings,
    demand_signature,
    read_signed,
    write_signed,
)
from models.manifest import Bundle, load_bundle, utc_now
from models.release.new_folder import new_folder
from station.core.errors import ModelError

BUNDLES = "bundles"


def sign_bundle(folder: Path, key: Ed25519PrivateKey, by: str) -> BundleSignature:
    """Sign a bundle, every file of which is what its manifest names.

    Raises:
        ModelError: As `load_bundle`, or the signature cannot be written.
    """
    bundle = load_bundle(folder)
    said = BundleSignature(
        at=utc_now().isoformat(), by=by, key="", bundle=bundle.identity.name, sha256=bundle.identity.sha256
    )
    signature = said.signed(key)
    write_signed(folder / SIGNATURE, signature)
    return signature


class Channel:
    """A channel as it lies there now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def publish(self, source: Path, rings: Iterable[int], key: Ed25519PrivateKey, by: str) -> Rings:
        """Offer a signed bundle to rings of cells; others keep what they are offered.

        Raises:
            ModelError: `model.untrusted`: this key signed neither the bundle nor what is offered now; or as
                `load_bundle`, or the folder cannot be written.
        """
        bundle = load_bundle(source)
        trusted = (public_text(key.public_key()),)
        demand_signature(bundle, trusted)
        offer = Offer(bundle=bundle.identity.name, sha256=bundle.identity.sha256)
        self._put(bundle, offer)
        path = self.folder / RINGS
        before = read_signed(path, Rings, trusted) if path.exists() else None
        chosen = {**(before.rings if before else {}), **{str(ring): offer for ring in rings}}
        serial = before.serial + 1 if before else 1
        said = Rings(at=utc_now().isoformat(), by=by, key="", serial=serial, rings=dict(sorted(chosen.items())))
        signed = said.signed(key)
        write_signed(path, signed)
        return signed

    def _put(self, bundle: Bundle, offer: Offer) -> None:
        place = self.folder / BUNDLES / offer.folder
        if place.is_dir():
            if load_bundle(place).identity.sha256 != offer.sha256:
                raise ModelError("model.bad_channel", f"{place}: another bundle lies there")
            return
        with new_folder(place) as staged:
            for path in bundle.folder.iterdir():
                shutil.copyfile(path, staged / path.name)

    def rings(self, trusted: Iterable[str]) -> Rings:
        """Who shall have which bundle.

        Raises:
            ModelError: `model.bad_channel`: the folder is away; `model.untrusted`: no trusted person says so.
        """
        if not self.folder.is_dir():
            raise ModelError("model.bad_channel", f"{self.folder}: there is no such folder now")
        return read_signed(self.folder / RINGS, Rings, trusted)

    def open(self, offer: Offer, trusted: Iterable[str]) -> Bundle:
        """An offered bundle, every file and its signature checked.

        Raises:
            ModelError: As `load_bundle`, or `model.untrusted`.
        """
        bundle = load_bundle(self.folder / BUNDLES / offer.folder)
        if bundle.identity.sha256 != offer.sha256:
            told = f"{bundle.folder}: its SHA-256 is {bundle.identity.sha256}, offered is {offer.sha256}"
            raise ModelError("model.untrusted", told)
        demand_signature(bundle, trusted)
        return bundle
