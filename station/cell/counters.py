"""What is counted over the parts: since the start, and in a row."""

from station.core.errors import PartError, StationError
from station.core.part import LineAccount
from station.core.reason import Reason
from station.core.verdicts import Verdict


class Counters:
    """How many parts there were since the start.

    Attributes:
        processed: Parts that lie in a confirmed place.
        defective: Those of them that did not pass.
        overloaded: Parts in whose turn the network was slower than the line.
    """

    def __init__(self) -> None:
        self.processed = 0
        self.defective = 0
        self.overloaded = 0

    def count(self, verdict: Verdict) -> None:
        """Count a part that was sorted."""
        self.processed += 1
        self.defective += not verdict.passes


class FailedTurns:
    """Parts in a row that had no whole scan.

    Args:
        most: With so many the cell cannot help itself any more.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._failed = 0

    def take(self, account: LineAccount, error: StationError | None) -> None:
        """Take a part into account.

        Args:
            account: Where its lines went.
            error: The first thing that went wrong in its turn, or None.

        Raises:
            PartError: `scan.failing`: it is one too many; the next one is the first again.
        """
        self._failed = 0 if account.fault is None else self._failed + 1
        if account.fault is not None and self._failed >= self._most:
            failed = self._failed
            self._failed = 0
            last = Reason.of(error) if error is not None else Reason(account.fault, account.detail)
            detail = f"{failed} parts in a row had no whole scan, the last one {last.fault.code}: {last.detail}"
            raise PartError("scan.failing", detail)
