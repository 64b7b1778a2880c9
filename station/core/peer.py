"""Who is at the other end of a Unix socket, as the kernel tells it."""

import grp
import os
import pwd
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

GROUP = "inspection"
"""Members of this group may read the records and command a station that runs in it."""

_SO_PEERGROUPS = 59  # Source: Linux, include/uapi/asm-generic/socket.h; Python has no name for it
_MOST_GROUPS = 256
_ROOT = 0


@dataclass(frozen=True, slots=True)
class Peer:
    """A process, as it was when it connected or began to listen.

    Attributes:
        user: Its user id.
        groups: All of its groups; only the first where the kernel tells no more.
    """

    user: int
    groups: frozenset[int]

    @classmethod
    def of(cls, connection: socket.socket) -> Self:
        """Whoever is at the other end."""
        _process, user, group = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        more: tuple[int, ...] = ()
        with suppress(OSError):  # more groups than anybody has
            found = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 4 * _MOST_GROUPS)
            more = struct.unpack(f"{len(found) // 4}I", found)
        return cls(user, frozenset({group, *more}))

    def commands(self, group: int | None) -> bool:
        """Whether it may command this process: its own user, root, and members of the group, if there is one."""
        return self.user in {_ROOT, os.geteuid()} or group in self.groups

    def serves(self, owner: int) -> bool:
        """Whether it may speak for what this user owns."""
        return self.user in {_ROOT, owner}


def commanding_group(name: str = GROUP) -> int | None:
    """The group whose members may command this process: the one of this name, where the process runs in it."""
    try:
        group = grp.getgrnam(name).gr_gid
    except KeyError:
        return None
    return group if group == os.getegid() else None


def user_name(user: int) -> str:
    """A user's name, for people; of one that has none, the number."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
