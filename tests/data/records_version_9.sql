BEGIN TRANSACTION;
CREATE TABLE alarms (
        alarm_id INTEGER PRIMARY KEY,
        code TEXT NOT NULL,
        detail TEXT NOT NULL,
        latched INTEGER NOT NULL CHECK (latched IN (0, 1)),
        count INTEGER NOT NULL CHECK (count > 0),
        raised_at TEXT NOT NULL,
        last_at TEXT NOT NULL,
        cleared_at TEXT,
        acknowledged_at TEXT,
        acknowledged_by TEXT NOT NULL
    );
INSERT INTO "alarms" VALUES(1,'jig.fault','fault 7',1,1,'2026-05-01T07:00:00.000Z','2026-05-01T07:00:00.000Z','2026-05-01T07:00:30.000Z','2026-05-01T07:00:40.000Z','plc');
INSERT INTO "alarms" VALUES(2,'camera.lost','cable again',1,2,'2026-05-01T07:01:00.000Z','2026-05-01T07:01:30.000Z',NULL,NULL,'');
CREATE TABLE challenges (
        number INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        part_type TEXT NOT NULL,
        event TEXT NOT NULL CHECK (event IN ('demanded', 'judged', 'passed', 'failed')),
        cause TEXT NOT NULL,
        golden TEXT,
        inspection INTEGER REFERENCES inspections (number),
        expected TEXT,
        found TEXT,
        recipe_sha256 TEXT
    );
INSERT INTO "challenges" VALUES(1,'2026-05-01T06:00:00.000Z','SMH-385','judged','shift','gold-1',1,'pits','pits','5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e');
CREATE TABLE configurations (
        sha256 TEXT NOT NULL PRIMARY KEY,
        settings TEXT NOT NULL,
        first_used_at TEXT NOT NULL
    );
INSERT INTO "configurations" VALUES('c0ffee0000000000000000000000000000000000000000000000000000000000','{"station": {"name": "line 1"}}','2026-05-01T06:00:00.123Z');
CREATE TABLE defects (
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
    ) WITHOUT ROWID;
INSERT INTO "defects" VALUES(1,1,'pits',5,0.75,47.25,1.5,0.25,0.125);
INSERT INTO "defects" VALUES(1,2,'scratches',0,0.5,NULL,NULL,NULL,NULL);
CREATE TABLE events (
        event_id INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        event TEXT NOT NULL,
        detail TEXT NOT NULL
    );
INSERT INTO "events" VALUES(1,'2026-05-01T06:00:00.123Z','state_changed','idle to starting');
CREATE TABLE "inspections" (
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
    );
INSERT INTO "inspections" VALUES(1,'20260501T060000123-SBAT5MW','SMH-0001','SMH-385','{"name": "SMH-385", "code": 7, "width_px": 385, "width_tolerance_px": 6, "edge_wander_px": 3, "outer_diameter_mm": 21.5, "surface_speed_mm_s": 120.0, "exposure_us": 40.5, "geometry": {"lines_per_turn": 3584, "lines_per_block": 448, "patch_px": 256, "patches_per_strip": 2}}',1,7,'sorted','2026-05-01T06:00:00.123Z','2026-05-01T06:00:01.123Z',NULL,'2026-05-01T06:00:02.123Z',NULL,NULL,'pits',NULL,'as measured','bin_pits','bin_pits');
INSERT INTO "inspections" VALUES(2,'20260501T060003123-QVWV44M','SMH-0002','SMH-385','{"name": "SMH-385", "code": 7, "width_px": 385, "width_tolerance_px": 6, "edge_wander_px": 3, "outer_diameter_mm": 21.5, "surface_speed_mm_s": 120.0, "exposure_us": 40.5, "geometry": {"lines_per_turn": 3584, "lines_per_block": 448, "patch_px": 256, "patches_per_strip": 2}}',2,7,'lost','2026-05-01T06:00:03.123Z',NULL,NULL,NULL,'2026-05-01T06:00:03.123Z',NULL,'review','robot.part_lost','gripper open',NULL,NULL);
INSERT INTO "inspections" VALUES(3,'20260501T060004123-C4M7RDD','SMH-0003','SMH-385','{"name": "SMH-385", "code": 7, "width_px": 385, "width_tolerance_px": 6, "edge_wander_px": 3, "outer_diameter_mm": 21.5, "surface_speed_mm_s": 120.0, "exposure_us": 40.5, "geometry": {"lines_per_turn": 3584, "lines_per_block": 448, "patch_px": 256, "patches_per_strip": 2}}',3,7,'open','2026-05-01T06:00:04.123Z',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL);
CREATE TABLE "judgements" (
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
        defects INTEGER CHECK (typeof(defects) IN ('integer', 'null') AND ifnull(defects, 0) >= 0), light_level REAL CHECK (light_level >= 0), light_gain REAL CHECK (light_gain > 0), light_gains TEXT
        CHECK (light_gains IS NULL OR json_valid(light_gains) AND json_type(light_gains) = 'array'), novelty_score REAL, novelty_patch INTEGER
        CHECK (typeof(novelty_patch) IN ('integer', 'null') AND ifnull(novelty_patch, 0) >= 0), novelty_p REAL CHECK (novelty_p BETWEEN 0 AND 1), novelty_alpha REAL CHECK (novelty_alpha BETWEEN 0 AND 1), calibration_sha256 TEXT CHECK (calibration_sha256 != ''), spot_lot REAL CHECK (spot_lot >= 0 AND spot_lot < 1), spot_one_in INTEGER
        CHECK (typeof(spot_one_in) IN ('integer', 'null') AND ifnull(spot_one_in, 1) >= 1
        AND (spot_one_in IS NULL) = (spot_lot IS NULL)), spot_seed INTEGER
        CHECK (typeof(spot_seed) IN ('integer', 'null') AND (spot_seed IS NULL) = (spot_lot IS NULL)), pass_threshold REAL CHECK (pass_threshold BETWEEN 0 AND 1), promise_sha256 TEXT REFERENCES promises (sha256), rules TEXT CHECK (rules IS NULL OR json_valid(rules) AND json_type(rules) = 'object'), first_look TEXT CHECK (first_look IS NULL OR json_valid(first_look) AND json_type(first_look) = 'object'), conditions TEXT CHECK (conditions IS NULL OR json_valid(conditions) AND json_type(conditions) = 'object'), drift TEXT CHECK (drift IS NULL OR json_valid(drift) AND json_type(drift) = 'object'), screened TEXT
    CHECK (screened IS NULL OR json_valid(screened) AND json_type(screened) = 'array'),
        CHECK (CASE length(probabilities) WHEN 0 THEN 1
            ELSE json_array_length(classes) > 0 AND length(probabilities) % (4 * json_array_length(classes)) = 0 END),
        CHECK ((recipe IS NULL) = (recipe_sha256 IS NULL))
    );
INSERT INTO "judgements" VALUES(1,'pits','pits',NULL,'as measured',0.75,5,3,X'24E3FB3E483B3E3E38FFA43E646B083F1AA0F83C379FDF3EC0A8493F0ABB103EEF43913D39559D3E385DAB3E8F4DB73E0BC5723D5868113FAED6BE3E4B21453FBB084B3E6AC8013D8C4C0F3E853D3A3E7C9D2D3F69892E3D3CD3FE3D023D553F6930223E56229F3EBBE2073FFE69BC3CF0E7793F0602533A4E98223FCDA18C3E59B6B83D1D7C8D3E03C1043FB903523ECEF1133E9958B93E80AEFC3EB24DB23E44A5B73E0B0D963E35471C3FBB9CC53EB16D6A3BE806983E0999483DFB72273F',3584,3584,8,'[0, 1, 2, 3, 4, 5, 6, 7]',0,NULL,'3584 lines',NULL,NULL,'{"Width": 5472, "ExposureTime": 40.5, "PixelFormat": "Mono8", "ReverseX": false, "Gain": "inf"}','inception-cnn-1','abababababababababababababababababababababababababababababababab','c0ffee0000000000000000000000000000000000000000000000000000000000','{"armed": 5, "decided": 17}',12.25,'["scratches", "defect_free", "pits"]','SMH-385','5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e','algorithm1',2,63.5,1.5,'[1.25, 1.75]',0.75,5,0.03125,0.0625,'cacacacacacacacacacacacacacacacacacacacacacacacacacacacacacacaca',0.125,50,7,0.875,'9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a','{"algorithm1": "pits"}','{"verdict": "review"}','{"background": 2.5}','{"wealth": 1.5}','[0, 1, 5]');
CREATE TABLE order_numbers (
        device TEXT NOT NULL PRIMARY KEY CHECK (device IN ('robot', 'jig')),
        last INTEGER NOT NULL CHECK (last BETWEEN 0 AND 65535)
    );
INSERT INTO "order_numbers" VALUES('robot',4);
INSERT INTO "order_numbers" VALUES('jig',1);
CREATE TABLE orders (
        order_id INTEGER PRIMARY KEY,
        device TEXT NOT NULL CHECK (device IN ('robot', 'jig')),
        number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 65535),
        verb TEXT NOT NULL,
        argument INTEGER NOT NULL,
        inspection INTEGER REFERENCES inspections (number),
        issued_at TEXT NOT NULL,
        issued_ns INTEGER NOT NULL,
        acknowledged_at TEXT,
        acknowledged_ns INTEGER,
        done_at TEXT,
        done_ns INTEGER,
        confirmed INTEGER,
        result TEXT CHECK (result IN ('done')), confirmed_place TEXT CHECK (confirmed_place != ''),
        CHECK ((result IS NULL) = (done_at IS NULL))
    );
INSERT INTO "orders" VALUES(1,'robot',1,'load',0,1,'2026-05-01T06:00:00.123Z',1000000000,'2026-05-01T06:00:00.623Z',1500000000,'2026-05-01T06:00:01.123Z',2000000000,0,'done',NULL);
INSERT INTO "orders" VALUES(2,'robot',2,'unload',3,1,'2026-05-01T06:00:01.123Z',2000000000,'2026-05-01T06:00:01.623Z',2500000000,'2026-05-01T06:00:02.123Z',3000000000,3,'done','bin_pits');
INSERT INTO "orders" VALUES(3,'robot',3,'load',0,2,'2026-05-01T06:00:03.123Z',4000000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "orders" VALUES(4,'robot',4,'load',0,3,'2026-05-01T06:00:04.123Z',5000000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "orders" VALUES(5,'jig',1,'spin',1066,3,'2026-05-01T06:00:04.123Z',5000000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE promises (
        sha256 TEXT NOT NULL PRIMARY KEY,
        sentence TEXT NOT NULL CHECK (sentence != ''),
        first_used_at TEXT NOT NULL
    );
INSERT INTO "promises" VALUES('9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a','Of defective parts of type SMH-385 at most 1.00 % pass, with 95 % confidence.','2026-05-01T06:00:00.000Z');
CREATE TABLE scans (
        inspection INTEGER NOT NULL PRIMARY KEY REFERENCES judgements (inspection),
        state TEXT NOT NULL CHECK (state IN ('pending', 'archived', 'failed', 'expired')),
        file TEXT NOT NULL UNIQUE,
        left_column INTEGER NOT NULL,
        sha256 TEXT,
        detail TEXT NOT NULL,
        CHECK (state != 'archived' OR sha256 IS NOT NULL)
    );
INSERT INTO "scans" VALUES(1,'archived','archive/2026/05/01/20260501T060000123-SBAT5MW.png',0,'cd121aee757c506778838fd107129937f20c57db2b66fcba01af3e6350608b1f','');
CREATE TABLE settlements (
        inspection INTEGER NOT NULL PRIMARY KEY REFERENCES judgements (inspection),
        plc_sent_ns INTEGER NOT NULL,
        plc_acknowledged_ns INTEGER NOT NULL,
        committed_ns INTEGER NOT NULL
    );
INSERT INTO "settlements" VALUES(1,18,21,4000018);
CREATE TABLE studies (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE CHECK (name != ''),
        trials INTEGER NOT NULL CHECK (trials BETWEEN 2 AND 20),
        begun_at TEXT NOT NULL,
        ended_at TEXT
    );
INSERT INTO "studies" VALUES(1,'may',3,'2026-05-01T06:00:00.000Z',NULL);
CREATE TABLE tellings (
        inspection INTEGER NOT NULL PRIMARY KEY REFERENCES inspections (number),
        told_at TEXT,
        given_up_at TEXT,
        CHECK (told_at IS NULL OR given_up_at IS NULL)
    );
INSERT INTO "tellings" VALUES(1,'2026-05-01T06:00:02.123Z',NULL);
CREATE TABLE trials (
        study INTEGER NOT NULL REFERENCES studies (number),
        inspection INTEGER NOT NULL REFERENCES inspections (number),
        trial INTEGER NOT NULL CHECK (trial >= 1),
        at TEXT NOT NULL,
        verdict TEXT NOT NULL,
        algorithm1 TEXT,
        reason TEXT,
        detail TEXT NOT NULL,
        confidence REAL NOT NULL,
        PRIMARY KEY (study, inspection, trial)
    ) WITHOUT ROWID;
INSERT INTO "trials" VALUES(1,1,1,'2026-05-01T06:00:00.000Z','pits','pits',NULL,'as measured',0.75);
CREATE INDEX orders_number ON orders (device, number);
CREATE INDEX orders_inspection ON orders (inspection);
CREATE INDEX scans_on_disk ON scans (state) WHERE state IN ('pending', 'archived');
CREATE TRIGGER orders_stay BEFORE DELETE ON orders BEGIN SELECT RAISE(ABORT, 'records are kept'); END;
CREATE UNIQUE INDEX alarms_listed ON alarms (code) WHERE cleared_at IS NULL OR acknowledged_at IS NULL;
CREATE INDEX events_left_execute ON events (event_id)
        WHERE event = 'state_changed' AND detail GLOB 'EXECUTE *';
CREATE TRIGGER alarms_end_once BEFORE UPDATE ON alarms
    WHEN OLD.cleared_at IS NOT NULL AND OLD.acknowledged_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'an alarm that is off the list is final'); END;
CREATE TRIGGER alarms_stay BEFORE DELETE ON alarms BEGIN SELECT RAISE(ABORT, 'records are kept'); END;
CREATE TRIGGER settlements_hold BEFORE UPDATE ON settlements
    BEGIN SELECT RAISE(ABORT, 'a settlement is final'); END;
CREATE TRIGGER settlements_stay BEFORE DELETE ON settlements BEGIN SELECT RAISE(ABORT, 'records are kept'); END;
CREATE INDEX inspections_entered ON inspections (entered_at);
CREATE INDEX inspections_part ON inspections (part_id);
CREATE INDEX inspections_unfinished ON inspections (number) WHERE state IN ('open', 'judged');
CREATE TRIGGER inspections_go_forward BEFORE UPDATE ON inspections WHEN NOT (
        OLD.number = NEW.number AND OLD.inspection_id = NEW.inspection_id AND (
            OLD.state = 'open' AND NEW.state IN ('judged', 'lost', 'withdrawn')
            OR OLD.state = 'judged' AND NEW.state IN ('judged', 'sorted', 'lost')
            AND NEW.verdict IN (OLD.verdict, 'review')
        )
    ) BEGIN SELECT RAISE(ABORT, 'an inspection goes forward, and only towards review'); END;
CREATE TRIGGER inspections_stay BEFORE DELETE ON inspections BEGIN SELECT RAISE(ABORT, 'records are kept'); END;
CREATE TRIGGER judgements_stay BEFORE DELETE ON judgements BEGIN SELECT RAISE(ABORT, 'records are kept'); END;
CREATE TRIGGER defects_come_once BEFORE INSERT ON defects WHEN
        NOT coalesce(NEW.rank <= (SELECT defects FROM judgements WHERE inspection = NEW.inspection), 0)
        OR EXISTS (SELECT 1 FROM defects WHERE inspection = NEW.inspection AND rank = NEW.rank)
    BEGIN SELECT RAISE(ABORT, 'defects are written with their judgement'); END;
CREATE TRIGGER defects_hold BEFORE UPDATE ON defects BEGIN SELECT RAISE(ABORT, 'a judgement is final'); END;
CREATE TRIGGER defects_stay BEFORE DELETE ON defects BEGIN SELECT RAISE(ABORT, 'records are kept'); END;
CREATE TRIGGER orders_end_once BEFORE UPDATE ON orders WHEN OLD.result IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'an order ends once'); END;
CREATE TRIGGER promises_hold BEFORE UPDATE ON promises BEGIN SELECT RAISE(ABORT, 'a promise is final'); END;
CREATE TRIGGER promises_stay BEFORE DELETE ON promises BEGIN SELECT RAISE(ABORT, 'records are kept'); END;
CREATE TRIGGER challenges_hold BEFORE UPDATE ON challenges BEGIN SELECT RAISE(ABORT, 'a challenge is final'); END;
CREATE TRIGGER challenges_stay BEFORE DELETE ON challenges BEGIN SELECT RAISE(ABORT, 'records are kept'); END;
CREATE TRIGGER studies_end_once BEFORE UPDATE ON studies WHEN OLD.ended_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'a study ends once'); END;
CREATE TRIGGER studies_stay BEFORE DELETE ON studies BEGIN SELECT RAISE(ABORT, 'records are kept'); END;
CREATE TRIGGER trials_hold BEFORE UPDATE ON trials BEGIN SELECT RAISE(ABORT, 'a trial is final'); END;
CREATE TRIGGER trials_stay BEFORE DELETE ON trials BEGIN SELECT RAISE(ABORT, 'records are kept'); END;
CREATE INDEX inspections_verdict ON inspections (verdict);
CREATE INDEX inspections_type ON inspections (part_type);
CREATE INDEX inspections_reason ON inspections (reason) WHERE reason IS NOT NULL;
CREATE INDEX judgements_model ON judgements (model);
CREATE INDEX judgements_spot_checked ON judgements (inspection) WHERE reason = 'part.spot_check';
CREATE INDEX defects_class ON defects (class);
CREATE INDEX events_states ON events (at) WHERE event = 'state_changed';
CREATE TRIGGER judgements_hold BEFORE UPDATE ON judgements BEGIN SELECT RAISE(ABORT, 'a judgement is final'); END;
CREATE TRIGGER tellings_hold BEFORE UPDATE ON tellings
    WHEN OLD.told_at IS NOT NULL OR OLD.given_up_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'a telling ends once'); END;
CREATE TRIGGER tellings_stay BEFORE DELETE ON tellings BEGIN SELECT RAISE(ABORT, 'records are kept'); END;
CREATE INDEX tellings_open ON tellings (inspection) WHERE told_at IS NULL AND given_up_at IS NULL;
COMMIT;
