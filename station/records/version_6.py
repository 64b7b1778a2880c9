"""Version 6 of the database: with each judgement how the part was lit, and how unlike the known parts it looked.

light_level         median grey value of the part in its first block
light_gain          what its grey values were multiplied with before they were judged; 1 where they were left alone
light_gains         the same along the axis, a JSON list, where the lamp was uneven
novelty_score       how far the part's strangest patch lies from those of known good parts
novelty_patch       which patch that is
novelty_p           how often a good part would be so strange by chance
novelty_alpha       below which of these the part goes to REVIEW
calibration_sha256  of the good parts that it was held against

All are NULL of a part that nobody has looked at so; an older version's judgements have none.
"""

import sqlite3

STATEMENTS = (
    "ALTER TABLE judgements ADD COLUMN light_level REAL CHECK (light_level >= 0)",
    "ALTER TABLE judgements ADD COLUMN light_gain REAL CHECK (light_gain > 0)",
    """ALTER TABLE judgements ADD COLUMN light_gains TEXT
        CHECK (light_gains IS NULL OR json_valid(light_gains) AND json_type(light_gains) = 'array')""",
    "ALTER TABLE judgements ADD COLUMN novelty_score REAL",
    """ALTER TABLE judgements ADD COLUMN novelty_patch INTEGER
        CHECK (typeof(novelty_patch) IN ('integer', 'null') AND ifnull(novelty_patch, 0) >= 0)""",
    "ALTER TABLE judgements ADD COLUMN novelty_p REAL CHECK (novelty_p BETWEEN 0 AND 1)",
    "ALTER TABLE judgements ADD COLUMN novelty_alpha REAL CHECK (novelty_alpha BETWEEN 0 AND 1)",
    "ALTER TABLE judgements ADD COLUMN calibration_sha256 TEXT CHECK (calibration_sha256 != '')",
)


def add_light_and_novelty(connection: sqlite3.Connection) -> None:
    """Make a database of version 5 one of version 6, inside the caller's transaction."""
    for statement in STATEMENTS:
        connection.execute(statement)
