"""What people are at the station, and which of them may do what on the page."""

from enum import StrEnum


class Role(StrEnum):
    """What a person is at the station; nobody is more than one of these."""

    OPERATOR = "operator"
    QUALITY = "quality"
    MAINTENANCE = "maintenance"
    ENGINEER = "engineer"
    ADMIN = "admin"


Roles = frozenset[Role]

EVERY_ROLE: Roles = frozenset(Role)
"""Who may see how the cell is, what was decided and why."""
AT_THE_CELL: Roles = frozenset({Role.OPERATOR, Role.MAINTENANCE, Role.ENGINEER, Role.ADMIN})
"""Who may acknowledge and shelve alarms, and stop the cell."""
WHO_COMMAND: Roles = frozenset({Role.MAINTENANCE, Role.ENGINEER, Role.ADMIN})
"""Who may take the hand from the line PLC."""
WHO_MAINTAIN: Roles = WHO_COMMAND
"""Who may see how the computer and the devices are, the configuration and the log."""
WHO_LABEL: Roles = frozenset({Role.QUALITY, Role.ENGINEER, Role.ADMIN})
"""Who may say what a part really is."""
WHO_ADMIT: Roles = frozenset({Role.ADMIN})
"""Who may let people in, and see who did what."""
WHO_RELEASE: Roles = frozenset({Role.ENGINEER, Role.ADMIN})
"""Who may decide which network judges."""
