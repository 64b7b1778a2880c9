"""Passwords: which are taken, and how they are kept.

They are kept as argon2id hashes (RFC 9106, by argon2-cffi with its own parameters, which rise with its versions).
"""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST, MOST = 12, 128
"""Characters of a password."""
LEAST_DIFFERENT = 6
"""Different ones of them."""
LEAST_OWN = 9
"""Those that are not of words that everybody tries."""
OF_EVERYBODY = ("password", "passwort", "inspection", "station", "123456", "qwert", "admin", "default", "changeme")
"""What everybody tries first."""


def weakness(password: str, name: str) -> str | None:
    """Why a password is not taken, in words, or None.

    Args:
        password: The password.
        name: Whose it is to be.
    """
    small = password.casefold()
    if not LEAST <= len(password) <= MOST:
        return f"a password has {LEAST} to {MOST} characters"
    if len(set(small)) < LEAST_DIFFERENT:
        return f"a password has {LEAST_DIFFERENT} different characters at least"
    if name.casefold() in small:
        return "a password does not contain the name"
    rest = small
    for word in OF_EVERYBODY:
        rest = rest.replace(word, "")
    if len(rest) < LEAST_OWN:
        return "this is what everybody tries first"
    return None


class Passwords:
    """Hashes passwords and proves them; each takes a moment, on purpose. Blocking.

    Args:
        hasher: How they are hashed.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobodys = self._hasher.hash("of nobody")

    def hashed(self, password: str) -> str:
        """The hash to keep."""
        return self._hasher.hash(password)

    def prove(self, password: str, kept: str | None) -> bool:
        """Whether this is the password of which the hash was kept; it takes as long where there is none."""
        try:
            return self._hasher.verify(kept or self._nobodys, password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False
