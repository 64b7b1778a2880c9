"""Other users of the computer, for tests that run as root, who alone may become them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

STRANGER, GUEST_GROUP = 65534, 65534
"""A user of no rights, and a group that nothing belongs to."""

MEMBERS = 4711
"""A group that no user of the computer is in."""

BECOME = """
import asyncio, os, socket, sys
from pathlib import Path
{first}
os.setgroups({groups})
os.setresgid({group}, {group}, {group})
os.setresuid({user}, {user}, {user})
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become other users")


def as_another(
    code: str, *arguments: Path | str, groups: tuple[int, ...] = (), first: str = ""
) -> subprocess.Popen[str]:
    """Runs Python code, with these as `sys.argv[1:]`, as a user of no rights who is in these groups as well.

    `first` is run before that, as root, who may read the station's code.
    """
    begun = BECOME.format(first=first, groups=list(groups), group=GUEST_GROUP, user=STRANGER)
    return subprocess.Popen(
        [sys.executable, "-c", begun + code, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
