"""The bundles that were let into the station, and the history of who let them in.

MODELS/bundles/NAME-HASH/    every bundle that was ever promoted, as it was then
MODELS/gate/HASH.json        the gate's last report on the bundle of this hash
MODELS/reports/HASH.json     the gate's reports that were relied on, by their own hash
MODELS/history.jsonl         one line a decision, and its seal in history.head; see `models.release.history`

A station whose configuration says `bundle = "promoted"` runs the bundle of the last line, or the shipped one while
there is no line. It looks when it starts and at no other time, so nothing changes under a running cell.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Literal

from models.manifest import Bundle, load_bundle, utc_now
from models.release.gate_report import Conditions, GateReport, Measured, read_report
from models.release.history import HISTORY, Chain, Entry, History, place_name
from models.release.new_folder import new_folder
from models.weights import SHIPPED, bundle_folder
from station.core.durable import make_folder, write_whole
from station.core.errors import ModelError
from station.core.part import ModelIdentity
from station.core.place import displaced

PROMOTED = "promoted"
"""What a configuration says in place of a bundle's name to run the promoted one."""

BUNDLES, REPORTS, VERDICTS, LOCK = "bundles", "reports", "gate", ".lock"


class Shelf:
    """The shelf in one folder, which need not exist.

    Args:
        folder: The configured folder of models.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._history = History(folder)

    def history(self) -> tuple[Entry, ...]:
        """All decisions, the last at the end.

        Raises:
            ModelError: `model.bad_history` when a line was changed, removed, cut off, or cannot be read.
        """
        return self._chain().entries

    def doubt(self) -> str | None:
        """What a person should know of a history that is not sealed to its end; None where it is.

        Raises:
            ModelError: As `history`.
        """
        chain = self._chain()
        if not chain.unsealed:
            return None
        return (
            f"{self.folder / HISTORY}: the last {chain.unsealed} of {len(chain.lines)} lines are not sealed; an older "
            "version of the station wrote them, or the power failed. The next promotion or rollback seals them"
        )

    def active(self) -> ModelIdentity:
        """Which bundle a station that runs the promoted one would use; the shipped one while none was promoted.

        Raises:
            ModelError: The history cannot be used, or the shipped bundle is damaged.
        """
        entries = self.history()
        if not entries:
            return load_bundle(bundle_folder(SHIPPED)).identity
        return ModelIdentity(entries[-1].bundle, entries[-1].sha256)

    def open_active(self) -> Bundle:
        """The promoted bundle, every file checked.

        Raises:
            ModelError: `model.not_promoted` when what lies on the shelf is another bundle than the promoted one;
                otherwise as `load_bundle` and `history`.
        """
        if not self.history():
            return load_bundle(bundle_folder(SHIPPED))
        return self.open(self.active())

    def open(self, identity: ModelIdentity) -> Bundle:
        """A bundle of the shelf, every file checked.

        Raises:
            ModelError: `model.not_promoted` when another one lies in its place; otherwise as `load_bundle`.
        """
        bundle = load_bundle(self.place(identity))
        if bundle.identity.sha256 != identity.sha256:
            found = bundle.identity.sha256
            raise ModelError(
                "model.not_promoted", f"{bundle.folder} has SHA-256 {found}, promoted was {identity.sha256}"
            )
        return bundle

    def place(self, identity: ModelIdentity) -> Path:
        """Where a bundle lies on the shelf, if it does."""
        return self.folder / BUNDLES / place_name(identity)

    def bundles(self) -> tuple[Path, ...]:
        """The folders of all bundles on the shelf, by name.

        Raises:
            ModelError: `config.file_failed`: the shelf cannot be read.
        """
        try:
            found = sorted((self.folder / BUNDLES).iterdir())
            return tuple(path for path in found if path.is_dir() and not path.name.startswith("."))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise ModelError("config.file_failed", f"{error.filename}: {error.strerror}") from error

    def promote(
        self, source: Path, report: Path | None, reason: str, by: str, station: Conditions | None = None
    ) -> Entry:
        """Put a bundle on the shelf and have it used from the station's next start on.

        Args:
            source: The bundle's folder.
            report: The gate's report on it; None to do without, for a reason.
            reason: Why; may be empty when there is a report.
            by: Who decides.
            station: How the gate must have judged; None where any way will do.

        Raises:
            ModelError: `model.not_passed` without a report that lets this very bundle replace the present one;
                otherwise as `load_bundle` and `history`.
        """
        bundle = load_bundle(source)
        with self._locked():
            present = self.active()
            if bundle.identity.sha256 == present.sha256:
                raise ModelError("model.exists", f"{bundle.identity.name} is the promoted bundle already")
            if report is None:
                _demand(reason)
            gate = self._keep_report(report, bundle.identity, present, station) if report else None
            self._history.seal(self._chain())  # what a power cut leaves on the shelf from now on was never promoted
            self._keep_present(present)
            self._put(bundle)
            return self._append("promoted", bundle.identity, present, gate, reason, by)

    def roll_back(self, to: str | None, reason: str, by: str) -> Entry:
        """Have an earlier bundle used again from the station's next start on.

        Args:
            to: Its name, or the first digits of its hash; None for the one that the present one replaced.
            reason: Why.
            by: Who decides.

        Raises:
            ModelError: `model.unknown` when there is no such bundle or nothing to go back to, `model.not_passed`
                without a reason; otherwise as `open` and `history`.
        """
        _demand(reason)
        with self._locked():
            present = self.active()
            wanted = self._replaced_by(present) if to is None else self._once_used(to, present)
            self.open(wanted)
            return self._append("rolled_back", wanted, present, None, reason, by)

    def keep_verdict(self, report: GateReport, place: Path | None) -> Path:
        """Write the gate's report where `verdict_on` finds it, or to a place of one's own.

        Raises:
            ModelError: `config.file_failed`: it cannot be written.
        """
        path = place or self.verdict_of(str(report.new.sha256))
        try:
            make_folder(path.parent)
            write_whole(path, f"{report.model_dump_json(indent=2)}\n".encode())
        except OSError as error:
            raise ModelError("config.file_failed", f"{path}: {error.strerror}") from error
        return path

    def verdict_on(self, source: Path) -> Path:
        """Where the gate leaves its report on the bundle in a folder; the last one replaces those before.

        Raises:
            ModelError: As `load_bundle`.
        """
        return self.verdict_of(load_bundle(source).identity.sha256)

    def verdict_of(self, sha256: str) -> Path:
        """Where the gate leaves its report on the bundle of this hash."""
        return self.folder / VERDICTS / f"{sha256}.json"

    def passed_with(self, sha256: str) -> Measured | None:
        """What the gate measured when it last let a bundle pass, or when the bundle was promoted; None without either.

        Raises:
            ModelError: As `history`.
        """
        gates = [entry.gate for entry in self.history() if entry.sha256 == sha256 and entry.gate is not None]
        kept = [self.folder / REPORTS / f"{gate}.json" for gate in reversed(gates)]
        for path in (self.verdict_of(sha256), *kept):
            with suppress(ModelError):
                report = read_report(path)[0]
                if report.passed and report.new.sha256 == sha256:
                    return report.measured
        return None

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """While in this context nobody promotes and nobody rolls back.

        Raises:
            ModelError: `model.export_failed`: the folder cannot be written to.
        """
        with self._locked():
            yield

    # ------------------------------------------------------------------ what was used before

    def _replaced_by(self, present: ModelIdentity) -> ModelIdentity:
        for entry in reversed(self.history()):
            if entry.action == "promoted" and entry.sha256 == present.sha256:
                return ModelIdentity(entry.replaces, entry.replaces_sha256)
        raise ModelError("model.unknown", f"{present.name} replaced no other bundle; name one with --to")

    def _once_used(self, to: str, present: ModelIdentity) -> ModelIdentity:
        used = {
            identity.sha256: identity
            for entry in self.history()
            for identity in entry.names
            if identity.sha256 != present.sha256 and (identity.name == to or identity.sha256.startswith(to))
        }  # fmt: skip
        if len(used) != 1:
            found = ", ".join(f"{one.name} {one.sha256[:12]}" for one in used.values()) or "none"
            raise ModelError("model.unknown", f"{to}: {found} of the bundles that were used before")
        return next(iter(used.values()))

    # ------------------------------------------------------------------ writing

    def _keep_report(
        self, report: Path, candidate: ModelIdentity, present: ModelIdentity, station: Conditions | None
    ) -> str:
        found, text = read_report(report)
        found.demand(candidate, present, station)
        digest = hashlib.sha256(text).hexdigest()
        make_folder(self.folder / REPORTS)
        write_whole(self.folder / REPORTS / f"{digest}.json", text)
        return digest

    def _keep_present(self, present: ModelIdentity) -> None:
        """Have the bundle that is replaced on the shelf, too: the shipped one changes with the product."""
        if not self.place(present).is_dir():
            self._put(load_bundle(bundle_folder(present.name)))

    def _put(self, bundle: Bundle) -> None:
        place = self.place(bundle.identity)
        if place.is_dir():
            self.open(bundle.identity)
            return
        with new_folder(place) as staged:
            for path in bundle.folder.iterdir():
                shutil.copyfile(path, staged / path.name)
        self.open(bundle.identity)

    def _append(
        self, action: Literal["promoted", "rolled_back"], now: ModelIdentity, before: ModelIdentity,
        gate: str | None, reason: str, by: str,
    ) -> Entry:  # fmt: skip
        chain = self._chain()
        entry = Entry(
            at=utc_now(), by=by, action=action, bundle=now.name, sha256=now.sha256, replaces=before.name,
            replaces_sha256=before.sha256, gate=gate, reason=reason, line_before=chain.last,
        )  # fmt: skip
        self._history.add(chain, entry)
        return entry

    def _chain(self) -> Chain:
        return self._history.read(self.bundles())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One decision at a time, of all processes.

        Raises:
            ModelError: `config.file_failed`: the disk failed.
        """
        try:
            make_folder(self.folder)
            with self._lock():
                yield
        except OSError as error:
            raise ModelError("config.file_failed", f"{self.folder}: {error}") from error

    def _lock(self) -> BinaryIO:
        while True:
            lock = (self.folder / LOCK).open("wb")
            fcntl.flock(lock, fcntl.LOCK_EX)
            if displaced(self.folder / LOCK, os.fstat(lock.fileno())) is None:  # not deleted while it was waited for
                return lock
            lock.close()


def _demand(reason: str) -> None:
    if not reason.strip():
        raise ModelError("model.not_passed", "neither a report of the gate nor a reason was given")


def chosen_bundle(name: str, shelf: Shelf) -> Bundle:
    """The bundle that a configuration names: the promoted one, a shipped one, or one in a folder; every file checked.

    Raises:
        ModelError: It is missing or damaged, or is not the promoted one.
    """
    return shelf.open_active() if name == PROMOTED else load_bundle(bundle_folder(name))
