"""Whether a cluster is there at all, before Ray is asked, which tries for many minutes."""

import socket

from models.errors import ArchiveError

REACHED_WITHIN_S = 10.0


def require_reachable(address: str) -> None:
    """Refuse an address where nobody listens; blocks for ten seconds at the most.

    Args:
        address: Of the cluster's first computer, `HOST:PORT`.

    Raises:
        ArchiveError: Nobody does, or it is no address.
    """
    host, _colon, port = address.rpartition(":")
    if not host:
        raise ArchiveError("archive.no_cluster", f"{address}: write it as HOST:PORT")
    try:
        socket.create_connection((host, int(port)), REACHED_WITHIN_S).close()
    except (OSError, OverflowError, ValueError) as error:
        raise ArchiveError("archive.no_cluster", f"{address}: {error}") from error
