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
CREATE TABLE configurations (
        sha256 TEXT NOT NULL PRIMARY KEY,
        settings TEXT NOT NULL,
        first_used_at TEXT NOT NULL
    );
INSERT INTO "configurations" VALUES('c0ffee0000000000000000000000000000000000000000000000000000000000','{"station": {"name": "line 1"}}','2026-05-01T06:00:00.123Z');
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
        verdict TEXT CHECK (verdict IN ('defect_free', 'imprinted', 'pits', 'roll_marks', 'scratches', 'review')),
        reason TEXT,
        detail TEXT NOT NULL,
        destination TEXT CHECK (destination IN ('second_inspection', 'bin_imprinted', 'bin_pits', 'bin_roll_marks', 'bin_scratches', 'bin_review')),
        confirmed_bin TEXT CHECK (confirmed_bin IN ('second_inspection', 'bin_imprinted', 'bin_pits', 'bin_roll_marks', 'bin_scratches', 'bin_review')),
        CHECK ((state IN ('open', 'withdrawn')) = (verdict IS NULL)),
        CHECK ((state = 'sorted') = (sorted_at IS NOT NULL AND confirmed_bin IS NOT NULL)),
        CHECK ((state = 'lost') = (lost_at IS NOT NULL)),
        CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL)),
        CHECK (state != 'lost' OR (verdict = 'review' AND reason IS NOT NULL)),
        CHECK (state != 'withdrawn' OR (reason IS NOT NULL AND destination IS NULL))
    );
INSERT INTO "inspections" VALUES(1,'20260501T060000123-RKFDY7E','SMH-0001','SMH-385','{"name": "SMH-385", "code": 7, "width_px": 385, "width_tolerance_px": 6, "edge_wander_px": 3, "outer_diameter_mm": 21.5, "surface_speed_mm_s": 120.0, "exposure_us": 40.5}',1,7,'sorted','2026-05-01T06:00:00.123Z','2026-05-01T06:00:01.123Z',NULL,'2026-05-01T06:00:02.123Z',NULL,NULL,'pits',NULL,'as measured','bin_pits','bin_pits');
INSERT INTO "inspections" VALUES(2,'20260501T060003123-ZXERDA8','SMH-0002','SMH-385','{"name": "SMH-385", "code": 7, "width_px": 385, "width_tolerance_px": 6, "edge_wander_px": 3, "outer_diameter_mm": 21.5, "surface_speed_mm_s": 120.0, "exposure_us": 40.5}',2,7,'lost','2026-05-01T06:00:03.123Z',NULL,NULL,NULL,'2026-05-01T06:00:03.123Z',NULL,'review','robot.part_lost','gripper open',NULL,NULL);
INSERT INTO "inspections" VALUES(3,'20260501T060004123-SA3H2TB','SMH-0003','SMH-385','{"name": "SMH-385", "code": 7, "width_px": 385, "width_tolerance_px": 6, "edge_wander_px": 3, "outer_diameter_mm": 21.5, "surface_speed_mm_s": 120.0, "exposure_us": 40.5}',3,7,'open','2026-05-01T06:00:04.123Z',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL);
CREATE TABLE judgements (
        inspection INTEGER NOT NULL PRIMARY KEY REFERENCES inspections (number),
        algorithm1 TEXT CHECK (algorithm1 IN ('defect_free', 'imprinted', 'pits', 'roll_marks', 'scratches', 'review')),
        verdict TEXT NOT NULL CHECK (verdict IN ('defect_free', 'imprinted', 'pits', 'roll_marks', 'scratches', 'review')),
        reason TEXT,
        detail TEXT NOT NULL,
        confidence REAL NOT NULL,
        deciding_patch INTEGER CHECK (deciding_patch BETWEEN 0 AND 15),
        defect_patches INTEGER NOT NULL,
        probabilities BLOB NOT NULL CHECK (length(probabilities) % 20 = 0),
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
        ms_after_last_line REAL
    );
INSERT INTO "judgements" VALUES(1,'pits','pits',NULL,'as measured',0.75,5,3,X'443A993E0DC6E53E9DD50E3CB8EB823A2C0C783E6CDD0B3E3F33673DE49F813D3CB5713E26F4013FBE30FB3EA8934939D36EAD3E6D51313C6479233EF84C0D3E5712033F5CB16B3DED774C3D5A5F783E2135233C3838153DA0FD8D3E7E82553E7180EF3E30E2B13D8ABCC03D211BC73E5277B93E7A178B3D84BC5E3D8F99A13E463A0E3EC3CF613EDC898A3EE1C0363E8926D93EDC5BB63CDA67593EB7BE263E651CF03EBB8C173E7229ED3D12BC4E3E5ED3853D68480F3E0702A33C61339E3EC6EFDA3E1122D43DEC992F3F175BBF3C2255783DE307843DB293293EAC2E6A3E6920063EB95EF93CF402FA3E57FEF83D8C927B3D858CD53E5032243EA854663E5C7B0B3E5900BA3D741C343ED7D58B3C0B7A553EA6FB013FC77DD33DC213E23EE4F1773D9C3D1D3E84DF763E31FD003E74E5E23D6D2FB73D644C313CE6B8293F',3584,3584,8,'[0, 1, 2, 3, 4, 5, 6, 7]',0,NULL,'3584 lines',NULL,NULL,'{"Width": 5472, "ExposureTime": 40.5, "PixelFormat": "Mono8", "ReverseX": false, "Gain": "inf"}','inception-cnn-1','abababababababababababababababababababababababababababababababab','c0ffee0000000000000000000000000000000000000000000000000000000000','{"armed": 5, "decided": 17}',12.25);
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
        result TEXT CHECK (result IN ('done')),
        CHECK ((result IS NULL) = (done_at IS NULL))
    );
INSERT INTO "orders" VALUES(1,'robot',1,'load',0,1,'2026-05-01T06:00:00.123Z',1000000000,'2026-05-01T06:00:00.623Z',1500000000,'2026-05-01T06:00:01.123Z',2000000000,0,'done');
INSERT INTO "orders" VALUES(2,'robot',2,'unload',3,1,'2026-05-01T06:00:01.123Z',2000000000,'2026-05-01T06:00:01.623Z',2500000000,'2026-05-01T06:00:02.123Z',3000000000,3,'done');
INSERT INTO "orders" VALUES(3,'robot',3,'load',0,2,'2026-05-01T06:00:03.123Z',4000000000,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "orders" VALUES(4,'robot',4,'load',0,3,'2026-05-01T06:00:04.123Z',5000000000,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "orders" VALUES(5,'jig',1,'spin',1066,3,'2026-05-01T06:00:04.123Z',5000000000,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE scans (
        inspection INTEGER NOT NULL PRIMARY KEY REFERENCES judgements (inspection),
        state TEXT NOT NULL CHECK (state IN ('pending', 'archived', 'failed', 'expired')),
        file TEXT NOT NULL UNIQUE,
        left_column INTEGER NOT NULL,
        sha256 TEXT,
        detail TEXT NOT NULL,
        CHECK (state != 'archived' OR sha256 IS NOT NULL)
    );
INSERT INTO "scans" VALUES(1,'archived','archive/2026/05/01/20260501T060000123-RKFDY7E.png',0,'30f29e2848b6c3823c24d5a4672a43783cc6988eaed12ade5cd511ad3e17c4b0','');
CREATE TABLE settlements (
        inspection INTEGER NOT NULL PRIMARY KEY REFERENCES judgements (inspection),
        plc_sent_ns INTEGER NOT NULL,
        plc_acknowledged_ns INTEGER NOT NULL,
        committed_ns INTEGER NOT NULL
    );
INSERT INTO "settlements" VALUES(1,18,21,4000018);
CREATE INDEX orders_number ON orders (device, number);
CREATE INDEX orders_inspection ON orders (inspection);
CREATE INDEX scans_on_disk ON scans (state) WHERE state IN ('pending', 'archived');
CREATE TRIGGER judgements_hold BEFORE UPDATE ON judgements BEGIN SELECT RAISE(ABORT, 'a judgement is final'); END;
CREATE TRIGGER judgements_stay BEFORE DELETE ON judgements BEGIN SELECT RAISE(ABORT, 'records are kept'); END;
CREATE TRIGGER orders_end_once BEFORE UPDATE ON orders WHEN OLD.result IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'an order ends once'); END;
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
COMMIT;
