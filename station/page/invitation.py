"""The way in for the first person: a code that only who starts the page sees, good once and while there is nobody."""

import secrets

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
GROUPS, GROUP = 4, 4


class Invitation:
    """A code of 80 bits, made anew with every start of the page."""

    def __init__(self) -> None:
        letters = [secrets.choice(ALPHABET) for _ in range(GROUPS * GROUP)]
        self.code = "-".join("".join(letters[at : at + GROUP]) for at in range(0, len(letters), GROUP))

    def fits(self, said: str) -> bool:
        """Whether this is the code; small letters and other blanks will do."""
        plain = "".join(said.upper().replace("-", "").split())
        return secrets.compare_digest(plain.encode(), self.code.replace("-", "").encode())
