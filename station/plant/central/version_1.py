"""Version 1 of the plant's database: what every cell has recorded, by months.

cells        one row a cell: whose records these are, and how far each stream of them is here
inspections  what is searched by, and the whole record as it was told, with its digest
decisions    what the network and the rules said of a part
defects      what was found on a part and where
labels       what people say of parts
journal      what happened in a cell: its changes of state, faults, commands
scans        where the scan of a part lies in the store, or why it does not

Everything has the cell in its key, so that what comes twice is there once. A month's partitions are made by
`make_month`, which a cell's user may call, and nothing else of the kind.
"""

from collections.abc import Mapping

SCHEMA = "inspection_station"

KEYS: Mapping[str, tuple[str, ...]] = {
    "inspections": ("cell", "inspection_id", "entered_at"),
    "decisions": ("cell", "inspection_id", "entered_at"),
    "defects": ("cell", "inspection_id", "entered_at", "rank"),
    "labels": ("cell", "digest", "at"),
    "journal": ("cell", "event_id", "at"),
    "scans": ("cell", "inspection_id", "entered_at"),
}
"""The tables that are partitioned, each with its key; the last moment of it says in which month a row lies."""

TABLES = (
    """CREATE TABLE cells (
        cell text PRIMARY KEY,
        station_id text NOT NULL,
        part_number bigint NOT NULL DEFAULT 0,
        part_id text NOT NULL DEFAULT '',
        part_entered_at text NOT NULL DEFAULT '',
        event_number bigint NOT NULL DEFAULT 0,
        event_at text NOT NULL DEFAULT '',
        label_number bigint NOT NULL DEFAULT 0,
        label_digest text NOT NULL DEFAULT '',
        scan_number bigint NOT NULL DEFAULT 0,
        scan_id text NOT NULL DEFAULT '',
        scan_entered_at text NOT NULL DEFAULT '',
        told_at timestamptz NOT NULL DEFAULT now()
    )""",
    """CREATE TABLE inspections (
        cell text NOT NULL,
        inspection_id text NOT NULL,
        entered_at timestamptz NOT NULL,
        number bigint NOT NULL,
        part_id text NOT NULL,
        part_type text NOT NULL,
        state text NOT NULL,
        verdict text,
        reason text,
        tried text,
        destination text,
        confirmed_bin text,
        confidence double precision,
        closed_at timestamptz,
        record json NOT NULL,
        digest text NOT NULL,
        replicated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (cell, inspection_id, entered_at)
    ) PARTITION BY RANGE (entered_at)""",
    """CREATE TABLE decisions (
        cell text NOT NULL,
        inspection_id text NOT NULL,
        entered_at timestamptz NOT NULL,
        algorithm1 text,
        verdict text NOT NULL,
        reason text,
        confidence double precision NOT NULL,
        deciding_patch integer,
        defect_patches integer NOT NULL,
        rule text,
        recipe text,
        recipe_sha256 text,
        model text NOT NULL,
        model_sha256 text NOT NULL,
        config_sha256 text NOT NULL,
        ms_after_last_line double precision,
        PRIMARY KEY (cell, inspection_id, entered_at)
    ) PARTITION BY RANGE (entered_at)""",
    """CREATE TABLE defects (
        cell text NOT NULL,
        inspection_id text NOT NULL,
        entered_at timestamptz NOT NULL,
        rank integer NOT NULL,
        class text NOT NULL,
        patch integer NOT NULL,
        confidence double precision NOT NULL,
        angle_deg double precision,
        axial_mm double precision,
        along_mm double precision,
        across_mm double precision,
        PRIMARY KEY (cell, inspection_id, entered_at, rank)
    ) PARTITION BY RANGE (entered_at)""",
    """CREATE TABLE labels (
        cell text NOT NULL,
        digest text NOT NULL,
        at timestamptz NOT NULL,
        subject text NOT NULL,
        subject_id text NOT NULL,
        file text NOT NULL,
        level text NOT NULL,
        region text NOT NULL,
        geometry text NOT NULL,
        class text NOT NULL,
        who text NOT NULL,
        source text NOT NULL,
        note text NOT NULL,
        PRIMARY KEY (cell, digest, at)
    ) PARTITION BY RANGE (at)""",
    """CREATE TABLE journal (
        cell text NOT NULL,
        event_id bigint NOT NULL,
        at timestamptz NOT NULL,
        event text NOT NULL,
        detail text NOT NULL,
        PRIMARY KEY (cell, event_id, at)
    ) PARTITION BY RANGE (at)""",
    """CREATE TABLE scans (
        cell text NOT NULL,
        inspection_id text NOT NULL,
        entered_at timestamptz NOT NULL,
        state text NOT NULL CHECK (state IN ('stored', 'failed', 'expired', 'missing', 'altered')),
        sha256 text,
        class text NOT NULL,
        bytes bigint,
        object text,
        left_column integer NOT NULL,
        stored_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (cell, inspection_id, entered_at),
        CHECK ((state = 'stored') = (object IS NOT NULL))
    ) PARTITION BY RANGE (entered_at)""",
)

INDICES = (
    "CREATE INDEX inspections_newest ON inspections (entered_at, cell, number)",
    "CREATE INDEX inspections_of_cell ON inspections (cell, entered_at)",
    "CREATE INDEX inspections_part ON inspections (part_id)",
    "CREATE INDEX inspections_verdict ON inspections (verdict, entered_at, cell, number)",
    "CREATE INDEX inspections_type ON inspections (part_type, entered_at, cell, number)",
    "CREATE INDEX inspections_reason ON inspections (reason, entered_at, cell, number) WHERE reason IS NOT NULL",
    "CREATE INDEX decisions_model ON decisions (model, entered_at)",
    "CREATE INDEX defects_class ON defects (class, entered_at)",
    "CREATE INDEX labels_subject ON labels (subject_id)",
    "CREATE INDEX journal_states ON journal (cell, at, event_id) WHERE event = 'state_changed'",
    "CREATE INDEX journal_newest ON journal (cell, at, event_id)",
)

MAKE_MONTH = """CREATE FUNCTION make_month(asked date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = inspection_station, pg_temp AS $$
    DECLARE
        begun date := date_trunc('month', asked);
        over date := begun + interval '1 month';
        parent text;
        child text;
    BEGIN
        PERFORM pg_advisory_xact_lock(5352753);
        FOREACH parent IN ARRAY ARRAY['inspections', 'decisions', 'defects', 'labels', 'journal', 'scans'] LOOP
            child := parent || '_' || to_char(begun, 'YYYY_MM');
            IF to_regclass(format('inspection_station.%I', child)) IS NULL THEN
                EXECUTE format(
                    'CREATE TABLE inspection_station.%I PARTITION OF inspection_station.%I '
                    'FOR VALUES FROM (%L) TO (%L)',
                    child, parent, begun::timestamp AT TIME ZONE 'UTC', over::timestamp AT TIME ZONE 'UTC');
            END IF;
        END LOOP;
    END $$"""

STATEMENTS = (*TABLES, *INDICES, MAKE_MONTH, "REVOKE EXECUTE ON FUNCTION make_month(date) FROM PUBLIC")
