"""Version 5 of the database: what is inspected is up to the configuration; no table lists verdicts, places or classes.

inspections  verdict and places are texts; only REVIEW, which every configuration has, is known by its name
judgements   keep the names of the network's classes, in the order of its scores, and by what recipe and rule they came
defects      what was found on a part and where, one row a defect; written with the judgement, which says how many
orders       keep the name of the place that was confirmed beside its code

Every station of a version before inspected housings, with one geometry, five classes and Algorithm 1: their names stand
here as history, for the rows that such a station has left. SQLite cannot change a CHECK, so tables are built anew with
all their rows.
"""

import json
import sqlite3

CLASSES = json.dumps(["defect_free", "imprinted", "pits", "roll_marks", "scratches"])
PLACES = ("second_inspection", "bin_imprinted", "bin_pits", "bin_roll_marks", "bin_scratches", "bin_review")
"""By their codes, 1 to 6."""
GEOMETRY = json.dumps({"lines_per_turn": 3584, "lines_per_block": 448, "patch_px": 256, "patches_per_strip": 2})
RULE = "algorithm1"

INSPECTIONS = (
    """CREATE TABLE inspections_of_version_5 (
        number INTEGER PRIMARY KEY,
        inspection_id TEXT NOT NULL UNIQUE CHECK (length(inspection_id) BETWEEN 1 AND 26),
        part_id TEXT NOT NULL,
        part_type TEXT NOT NULL,
        part_type_settings TEXT NOT NULL,
        part_sequence INTEGER NOT NULL,
        type_code INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('open', 'judged', 'sorted', 'lost', 'withdrawn')),
        entered_at TEXT NOT NULL,
        judged_at TEXT,
        interrupted_at TEXT,
        sorted_at TEXT,
        lost_at TEXT,
        withdrawn_at TEXT,
        verdict TEXT CHECK (verdict != ''),
        reason TEXT,
        detail TEXT NOT NULL,
        destination TEXT CHECK (destination != ''),
        confirmed_bin TEXT CHECK (confirmed_bin != ''),
        CHECK ((state IN ('open', 'withdrawn')) = (verdict IS NULL)),
        CHECK ((state = 'sorted') = (sorted_at IS NOT NULL AND confirmed_bin IS NOT NULL)),
        CHECK ((state = 'lost') = (lost_at IS NOT NULL)),
        CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL)),
        CHECK (state != 'lost' OR (verdict = 'review' AND reason IS NOT NULL)),
        CHECK (state != 'withdrawn' OR (reason IS NOT NULL AND destination IS NULL))
    )""",
    f"""INSERT INTO inspections_of_version_5
        SELECT number, inspection_id, part_id, part_type,
            CASE WHEN json_valid(part_type_settings)
                THEN json_set(part_type_settings, '$.geometry', json('{GEOMETRY}')) ELSE part_type_settings END,
            part_sequence, type_code, state, entered_at, judged_at, interrupted_at, sorted_at,
            lost_at, withdrawn_at, verdict, reason, detail, destination, confirmed_bin
        FROM inspections""",  # noqa: S608  # constants of this module
    "DROP TABLE inspections",
    "ALTER TABLE inspections_of_version_5 RENAME TO inspections",
    "CREATE INDEX inspections_entered ON inspections (entered_at)",
    "CREATE INDEX inspections_part ON inspections (part_id)",
    "CREATE INDEX inspections_unfinished ON inspections (number) WHERE state IN ('open', 'judged')",
    """CREATE TRIGGER inspections_go_forward BEFORE UPDATE ON inspections WHEN NOT (
        OLD.number = NEW.number AND OLD.inspection_id = NEW.inspection_id AND (
            OLD.state = 'open' AND NEW.state IN ('judged', 'lost', 'withdrawn')
            OR OLD.state = 'judged' AND NEW.state IN ('judged', 'sorted', 'lost')
            AND NEW.verdict IN (OLD.verdict, 'review')
        )
    ) BEGIN SELECT RAISE(ABORT, 'an inspection goes forward, and only towards review'); END""",
    "CREATE TRIGGER inspections_stay BEFORE DELETE ON inspections BEGIN SELECT RAISE(ABORT, 'records are kept'); END",
)

JUDGEMENTS = (
    """CREATE TABLE judgements_of_version_5 (
        inspection INTEGER NOT NULL PRIMARY KEY REFERENCES inspections (number),
        algorithm1 TEXT CHECK (algorithm1 != ''),
        verdict TEXT NOT NULL CHECK (verdict != ''),
        reason TEXT,
        detail TEXT NOT NULL,
        confidence REAL NOT NULL,
        deciding_patch INTEGER CHECK (typeof(deciding_patch) IN ('integer', 'null') AND ifnull(deciding_patch, 0) >= 0),
        defect_patches INTEGER NOT NULL,
        probabilities BLOB NOT NULL CHECK (typeof(probabilities) = 'blob'),
        lines_expected INTEGER NOT NULL,
        lines_delivered INTEGER NOT NULL,
        blocks INTEGER NOT NULL,
        frame_ids TEXT NOT NULL,
        discarded_blocks INTEGER NOT NULL,
        scan_fault TEXT,
        scan_detail TEXT NOT NULL,
        roi_left INTEGER,
        roi_right INTEGER,
        features TEXT NOT NULL,
        model TEXT NOT NULL,
        model_sha256 TEXT NOT NULL,
        config_sha256 TEXT NOT NULL REFERENCES configurations (sha256),
        times_ns TEXT NOT NULL,
        ms_after_last_line REAL,
        classes TEXT NOT NULL CHECK (json_valid(classes) AND json_type(classes) = 'array'),
        recipe TEXT CHECK (recipe != ''),
        recipe_sha256 TEXT CHECK (recipe_sha256 != ''),
        rule TEXT NOT NULL CHECK (rule != ''),
        defects INTEGER CHECK (typeof(defects) IN ('integer', 'null') AND ifnull(defects, 0) >= 0),
        CHECK (CASE length(probabilities) WHEN 0 THEN 1
            ELSE json_array_length(classes) > 0 AND length(probabilities) % (4 * json_array_length(classes)) = 0 END),
        CHECK ((recipe IS NULL) = (recipe_sha256 IS NULL))
    )""",
    f"""INSERT INTO judgements_of_version_5
        SELECT inspection, algorithm1, verdict, reason, detail, confidence, deciding_patch, defect_patches,
            probabilities, lines_expected, lines_delivered, blocks, frame_ids, discarded_blocks, scan_fault,
            scan_detail, roi_left, roi_right, features, model, model_sha256, config_sha256, times_ns,
            ms_after_last_line, '{CLASSES}', NULL, NULL, '{RULE}', NULL
        FROM judgements""",  # noqa: S608  # constants of this module
    "DROP TABLE judgements",
    "ALTER TABLE judgements_of_version_5 RENAME TO judgements",
    "CREATE TRIGGER judgements_hold BEFORE UPDATE ON judgements BEGIN SELECT RAISE(ABORT, 'a judgement is final'); END",
    "CREATE TRIGGER judgements_stay BEFORE DELETE ON judgements BEGIN SELECT RAISE(ABORT, 'records are kept'); END",
)

DEFECTS = (
    """CREATE TABLE defects (
        inspection INTEGER NOT NULL REFERENCES judgements (inspection),
        rank INTEGER NOT NULL CHECK (typeof(rank) = 'integer' AND rank >= 1),
        class TEXT NOT NULL CHECK (class != ''),
        patch INTEGER NOT NULL CHECK (typeof(patch) = 'integer' AND patch >= 0),
        confidence REAL NOT NULL,
        angle_deg REAL,
        axial_mm REAL,
        along_mm REAL,
        across_mm REAL,
        PRIMARY KEY (inspection, rank)
    ) WITHOUT ROWID""",
    # The judgement says how many there are, so that nothing can be added to those that were written with it.
    """CREATE TRIGGER defects_come_once BEFORE INSERT ON defects WHEN
        NOT coalesce(NEW.rank <= (SELECT defects FROM judgements WHERE inspection = NEW.inspection), 0)
        OR EXISTS (SELECT 1 FROM defects WHERE inspection = NEW.inspection AND rank = NEW.rank)
    BEGIN SELECT RAISE(ABORT, 'defects are written with their judgement'); END""",
    "CREATE TRIGGER defects_hold BEFORE UPDATE ON defects BEGIN SELECT RAISE(ABORT, 'a judgement is final'); END",
    "CREATE TRIGGER defects_stay BEFORE DELETE ON defects BEGIN SELECT RAISE(ABORT, 'records are kept'); END",
)

ORDERS = (
    "ALTER TABLE orders ADD COLUMN confirmed_place TEXT CHECK (confirmed_place != '')",
    "DROP TRIGGER orders_end_once",
    *(
        f"UPDATE orders SET confirmed_place = '{place}' WHERE confirmed = {code}"  # noqa: S608  # constants of this module
        for code, place in enumerate(PLACES, 1)
    ),
    """CREATE TRIGGER orders_end_once BEFORE UPDATE ON orders WHEN OLD.result IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'an order ends once'); END""",
)


def add_recipes(connection: sqlite3.Connection) -> None:
    """Make a database of version 4 one of version 5, inside the caller's transaction."""
    for statement in (*INSPECTIONS, *JUDGEMENTS, *DEFECTS, *ORDERS):
        connection.execute(statement)
