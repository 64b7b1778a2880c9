"""Version 2 of the plant's database: the alarms, months that are made beside what is at work, and who may still write.

alarms  one row for each time that a fault came on a cell's alarm list: raised, acknowledged, cleared; then it is final

A month's partitions are made as tables of their own and attached. That neither waits for whoever reads or writes the
table nor holds them up, as making them in their place did: there one long look at the table held up every cell.
Whether a month is there is asked of the catalogue itself, and again by who has waited for another that made it: the
server's memory of names, which `to_regclass` asks, does not know yet by then.
"""

from collections.abc import Mapping

from station.plant.central import version_1

KEYS: Mapping[str, tuple[str, ...]] = {**version_1.KEYS, "alarms": ("cell", "alarm_id", "raised_at")}
"""The tables that are partitioned, each with its key; the last moment of it says in which month a row lies."""

OLDEST = "ALTER TABLE versions ADD COLUMN oldest integer NOT NULL DEFAULT 1"
"""Programs that know this version, or a newer one, may still write."""

ALARMS = (
    """CREATE TABLE alarms (
        cell text NOT NULL,
        alarm_id bigint NOT NULL,
        raised_at timestamptz NOT NULL,
        code text NOT NULL,
        detail text NOT NULL,
        latched boolean NOT NULL,
        count bigint NOT NULL,
        last_at timestamptz NOT NULL,
        cleared_at timestamptz,
        acknowledged_at timestamptz,
        acknowledged_by text NOT NULL,
        PRIMARY KEY (cell, alarm_id, raised_at)
    ) PARTITION BY RANGE (raised_at)""",
    "CREATE INDEX alarms_newest ON alarms (raised_at, cell, alarm_id)",
    """CREATE INDEX alarms_standing ON alarms (cell, alarm_id)
        WHERE cleared_at IS NULL OR acknowledged_at IS NULL""",
)
REACHED = """ALTER TABLE cells ADD COLUMN alarm_number bigint NOT NULL DEFAULT 0,
    ADD COLUMN alarm_raised_at text NOT NULL DEFAULT ''"""

INSPECTIONS_ID = 'CREATE INDEX inspections_id ON inspections (inspection_id COLLATE "C")'
"""By how an id begins; in the order of its bytes, whatever the language of the database."""

MAKE_MONTH = """CREATE OR REPLACE FUNCTION make_month(asked date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = inspection_station, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD' AS $$
    DECLARE
        begun date := date_trunc('month', asked);
        over date := begun + interval '1 month';
        parent text;
        child text;
    BEGIN
        FOREACH parent IN ARRAY
            ARRAY['inspections', 'decisions', 'defects', 'labels', 'journal', 'scans', 'alarms'] LOOP
            child := parent || '_' || to_char(begun, 'YYYY_MM');
            CONTINUE WHEN EXISTS (SELECT FROM pg_class
                WHERE relname = child AND relnamespace = 'inspection_station'::regnamespace);
            PERFORM pg_advisory_xact_lock(5352753);
            CONTINUE WHEN EXISTS (SELECT FROM pg_class
                WHERE relname = child AND relnamespace = 'inspection_station'::regnamespace);
            EXECUTE format('CREATE TABLE inspection_station.%I (LIKE inspection_station.%I INCLUDING ALL)',
                child, parent);
            EXECUTE format('ALTER TABLE inspection_station.%I ATTACH PARTITION inspection_station.%I '
                'FOR VALUES FROM (%L) TO (%L)', parent, child, begun::timestamptz, over::timestamptz);
        END LOOP;
    END $$"""

STATEMENTS = (INSPECTIONS_ID, *ALARMS, OLDEST, REACHED, MAKE_MONTH)
"""In this order the tables are locked as cells do, who write what they tell and then how far it is told."""
