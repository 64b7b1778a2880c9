"""The faults of the station and of its command line, by subject; training, data sets, labels: `models.errors`.

The thousands of a number name the family. A number that was given out once never changes its meaning; 61xx to 64xx
are kept free for training, data sets, labels and archives, which no line PLC ever reads.
"""

from station.core.fault import Fault, Reaction, by_code

# fmt: off
CAMERA = (  # 1xxx camera
    Fault(1001, "camera.no_producer", "No GenTL producer (.cti) was found that can be used. Install the camera's driver or correct camera.producers.", Reaction.REFUSE),
    Fault(1002, "camera.not_found", "The camera was not found, or cannot be opened. Check its cable and power, camera.serial_number, and that no other program has it.", Reaction.HOLD),
    Fault(1003, "camera.lost", "The connection to the camera broke. It is opened again by itself; check its cable and power where that fails.", Reaction.RESCAN),
    Fault(1004, "camera.feature_refused", "The camera refused a setting. Compare camera.setup with the camera's manual.", Reaction.HOLD),
    Fault(1005, "camera.timeout", "The camera delivered no lines in time. Check the index pulse and the trigger wiring.", Reaction.RESCAN),
    Fault(1006, "camera.process_died", "The camera's process ended or did not answer. It is started again by itself; where that fails, read the reason in the detail.", Reaction.RESCAN),
    Fault(1007, "camera.bad_image", "The camera delivers another image format than agreed. Check PixelFormat, Width and Height.", Reaction.HOLD),
    Fault(1008, "camera.not_back", "The camera was lost and did not come back by itself. Check its cable and power, then Unhold.", Reaction.HOLD),
    Fault(1009, "camera.lamp_faded", "The lamp gives less light than at first. Clean or change it, and check the exposure; then calibrate anew.", Reaction.WARN),
    Fault(1010, "camera.out_of_focus", "The part's edges are less sharp than at first. Check the focus, and that lens and jig sit tight.", Reaction.WARN),
    Fault(1011, "camera.dirt", "The black background has a bright streak. Clean lens and window, and look what else is in the light.", Reaction.WARN),
)
PART = (  # 2xxx part, scan, and what is promised of parts
    Fault(2001, "scan.incomplete", "Lines of the scan are missing. Look at the camera's cable if it comes back.", Reaction.RESCAN),
    Fault(2002, "scan.out_of_order", "Blocks of the scan were repeated or came out of order. Look at the camera's cable if it comes back.", Reaction.RESCAN),
    Fault(2003, "scan.late", "The judgement came after its deadline. Inspect the part again.", Reaction.REVIEW),
    Fault(2004, "scan.judged_in_part", "Not every patch of the part was judged. Inspect the part again.", Reaction.REVIEW),
    Fault(2005, "scan.failing", "Scan after scan failed. Look at the last reason in the detail, then Unhold.", Reaction.HOLD),
    Fault(2006, "scan.not_turned", "The picture of the part stands still, wholly or in a stretch. Check that the chuck holds the part and that the camera works.", Reaction.RESCAN),
    Fault(2007, "scan.repeated", "A stretch of the scan comes again. Check the jig's speed, and the camera where it comes back.", Reaction.RESCAN),
    Fault(2008, "scan.not_closed", "The scan's end does not meet its beginning: it is no whole turn. Check the chuck, the jig's speed and the line rate.", Reaction.RESCAN),
    Fault(2009, "scan.wrong_light", "The part is lit otherwise than the network knows, beyond what may be made up for. Check the lamp, the exposure and light.reference.", Reaction.REVIEW),
    Fault(2101, "part.jig_empty", "No part is seen, although the chuck's sensor tells of one. Check the lamp, and look whether the part is there.", Reaction.REVIEW),
    Fault(2102, "part.at_sensor_edge", "The part reaches the edge of the camera's view. Check how it sits on the jig.", Reaction.REVIEW),
    Fault(2103, "part.wrong_width", "The part's width is not that of the announced type. Check the type and how it sits.", Reaction.REVIEW),
    Fault(2104, "part.edge_wanders", "The part's edges wander while it turns. Check how it sits on the jig.", Reaction.REVIEW),
    Fault(2105, "part.two_objects", "More than one object is in the camera's view. Clear the jig.", Reaction.REVIEW),
    Fault(2106, "part.unknown_type", "The announced part type is not configured. Add it to part_types or correct the PLC.", Reaction.SUSPEND),
    Fault(2107, "part.too_dark", "The part is too dark to be judged. Check the lamp and the exposure.", Reaction.REVIEW),
    Fault(2108, "part.low_confidence", "The judgement's confidence is under the configured minimum. Inspect the part by eye.", Reaction.REVIEW),
    Fault(2109, "part.interrupted", "The inspection was interrupted. Inspect the part again.", Reaction.REVIEW),
    Fault(2110, "part.bad_id", "The announced part id is empty or has characters other than printable ASCII. Correct the PLC.", Reaction.SUSPEND),
    Fault(2111, "part.unexpected", "A part that the station does not know is on the jig or in the gripper. Remove it by hand, then Reset.", Reaction.HOLD),
    Fault(2112, "part.saturated", "The part is too bright to be judged. Check the lamp and the exposure.", Reaction.REVIEW),
    Fault(2113, "part.withdrawn", "The line PLC withdrew or changed the part before it was loaded; nothing was moved. Where nobody wanted that, let its program hold the announcement until the robot has taken the part.", Reaction.WITHDRAW),
    Fault(2114, "part.unknown", "The part is unlike anything that the network was trained on. Inspect it by eye. Where such parts are good, train a network with them, or calibrate with `station model calibrate`.", Reaction.REVIEW),
    Fault(2115, "part.spot_check", "The part would have passed, and was drawn by lot to be looked at. Say with `station label` what it is.", Reaction.REVIEW),
    Fault(2116, "part.not_promised", "The part looks good, but not as surely as the promised share of escapes takes. Inspect it by eye.", Reaction.REVIEW),
    Fault(2120, "part.looks_differ", "The part was turned once more, and the two looks do not agree. Inspect it by eye.", Reaction.REVIEW),
    Fault(2125, "part.golden", "A golden part: the station has judged it, and gives it back. Take it out of the review bin and keep it.", Reaction.REVIEW),
    Fault(2126, "part.challenge_due", "Golden parts are due before any other part of this type. Lay in those named; take the waiting part away until then.", Reaction.SUSPEND),
    Fault(2127, "part.study", "A part of a measurement system analysis: its trials are recorded. Take it out of the review bin.", Reaction.REVIEW),
    Fault(2128, "part.golden_refused", "This golden part was laid in already, or is announced as another part type. Take it away, and lay in those named.", Reaction.SUSPEND),
    Fault(2129, "part.challenge_failed", "A golden part was judged wrongly: every part since the last passed challenge is suspect. List them with `station challenge suspects`, find the cause, then Unhold and lay in all golden parts.", Reaction.HOLD),
    Fault(2130, "quality.drift", "Parts of a type are no longer like those that it was calibrated on: what is promised of it does not hold, and more of them go to review. Find out what has changed, then run `station model calibrate` with parts of now.", Reaction.WARN),
    Fault(2150, "quality.promise_suspended", "What is promised of a part type does not hold any more: lamp, focus, lens or parts have changed. Mend the cause, then run `station model calibrate` with parts of now, and prove the promise anew.", Reaction.WARN),
    Fault(2140, "part.review_cheaper", "By the configured prices a look at the part is cheaper than to pass or to reject it. Inspect it by eye.", Reaction.REVIEW),
)
JIG = (  # 3xxx jig
    Fault(3001, "jig.unreachable", "The spin jig cannot be reached. Where it is silent check its power and the RS-485 cable, else what the detail says of the port.", Reaction.HOLD),
    Fault(3002, "jig.not_at_speed", "The spin jig did not reach its speed in time. Check the drive and the chuck.", Reaction.HOLD),
    Fault(3003, "jig.not_stopped", "The spin jig did not come to a standstill in time. Keep away from it and check the drive.", Reaction.ABORT),
    Fault(3004, "jig.fault", "The spin jig reports a fault. Read the drive's fault number in the detail.", Reaction.HOLD),
    Fault(3005, "jig.refused", "The spin jig refused an order. Read the reason in the detail.", Reaction.HOLD),
    Fault(3006, "jig.wrong_map", "The spin jig's registers do not hold what they must. Check unit id, map version and what the detail names.", Reaction.HOLD),
    Fault(3007, "jig.slipped", "The spin jig did not keep its speed during the scan. Check the chuck and the drive.", Reaction.RESCAN),
)
ROBOT = (  # 4xxx robot
    Fault(4001, "robot.unreachable", "The robot cannot be reached, or its program stands still. Check its power, its network cable and its program.", Reaction.HOLD),
    Fault(4002, "robot.no_acknowledge", "The robot did not take an order in time. Check that its program runs.", Reaction.HOLD),
    Fault(4003, "robot.not_done", "The robot did not finish an order in time. Look where it stands.", Reaction.HOLD),
    Fault(4004, "robot.fault", "The robot reports a fault. Read its fault number in the detail.", Reaction.HOLD),
    Fault(4005, "robot.refused", "The robot refused an order. Read the reason in the detail.", Reaction.HOLD),
    Fault(4006, "robot.not_in_safe_zone", "The robot is not in its safe zone. Move it there before the jig may turn.", Reaction.HOLD),
    Fault(4007, "robot.wrong_bin", "The robot confirmed another place than ordered. Find the part and treat it as unjudged.", Reaction.HOLD),
    Fault(4008, "robot.wrong_map", "The robot's registers do not hold what they must. Check unit id, map version and what the detail names.", Reaction.HOLD),
    Fault(4009, "robot.part_lost", "The robot lost the part. Find it and treat it as unjudged.", Reaction.HOLD),
)
PLC = (  # 5xxx line PLC
    Fault(5001, "plc.unreachable", "The line PLC does not answer. Check the network; the cell goes on by itself.", Reaction.SUSPEND),
    Fault(5002, "plc.stale", "The line PLC's heartbeat stands still. Check its program; the cell goes on by itself.", Reaction.SUSPEND),
    Fault(5003, "plc.illegal_command", "The line PLC sent a command that this state does not accept. Nothing was done.", Reaction.REFUSE),
    Fault(5004, "plc.no_permission", "The line PLC withdrew the permission to run. The cell goes on when it is given again.", Reaction.SUSPEND),
    Fault(5005, "plc.wrong_map", "The line PLC's registers do not hold what they must. Check unit id, map version and what the detail names.", Reaction.HOLD),
    Fault(5006, "plc.starved", "No part is waiting at the infeed. The cell goes on with the next part.", Reaction.SUSPEND),
    Fault(5007, "plc.result_not_taken", "The line PLC did not acknowledge a result in time. Check its program.", Reaction.SUSPEND),
    Fault(5008, "plc.port_in_use", "The station's Modbus server cannot listen: another program has the port. Change plc.link.port.", Reaction.REFUSE),
    Fault(5009, "plc.bin_full", "The bin for this part is full. Empty it; the cell goes on by itself.", Reaction.SUSPEND),
    Fault(5010, "plc.overwritten", "The line PLC does not keep the station's registers. Check what else clears or writes them.", Reaction.SUSPEND),
    Fault(5012, "plc.port_not_permitted", "The station's Modbus server may not listen on its port: one below 1024 needs a right that the station does not have. Give it CAP_NET_BIND_SERVICE, or set plc.link.port to 1024 or more.", Reaction.REFUSE),
    Fault(5013, "plc.cannot_listen", "The station's Modbus server cannot listen at its address. Read the reason in the detail; plc.link.host must be an address of this computer, or 0.0.0.0 for all it has.", Reaction.REFUSE),
    Fault(5014, "plc.two_masters", "Two addresses of plc.commanders command the station in turn. Stop one of them; the cell goes on by itself.", Reaction.SUSPEND),
)
MODEL = (  # 6xxx network model
    Fault(6001, "model.missing", "The model bundle, or a file of it, is missing. Install it or correct model.bundle.", Reaction.REFUSE),
    Fault(6002, "model.wrong_hash", "A file of the model bundle is not the one its manifest names. Install the bundle again.", Reaction.REFUSE),
    Fault(6003, "model.bad_manifest", "The model bundle's manifest cannot be used. Install the bundle again.", Reaction.REFUSE),
    Fault(6004, "model.bad_scores", "The network's answer is no set of probabilities. Check the model bundle.", Reaction.HOLD),
    Fault(6005, "model.engine_failed", "The inference engine failed. Restart the station; if it stays, check the model bundle.", Reaction.HOLD),
    Fault(6006, "model.not_promoted", "The bundle is not the one that was promoted. Promote it, or put the promoted one back.", Reaction.REFUSE),
    Fault(6007, "model.bad_history", "The history of promoted bundles is not whole. Restore it with `station backup restore --only models`; it is never repaired by itself.", Reaction.REFUSE),
    Fault(6008, "model.not_passed", "The bundle has not passed the gate. Run `station model gate`, or give a reason to do without.", Reaction.REFUSE),
    Fault(6009, "model.unknown", "There is no such bundle. `station model list` shows those there are.", Reaction.REFUSE),
    Fault(6010, "model.exists", "Something lies there already. Nothing was overwritten; give another name or folder.", Reaction.REFUSE),
    Fault(6011, "model.export_failed", "The bundle cannot be made. Correct what is named; nothing was overwritten.", Reaction.REFUSE),
    Fault(6012, "model.engine_unavailable", "The engine or precision chosen cannot run here. Correct model.engine or model.precision.", Reaction.REFUSE),
    Fault(6013, "model.wrong_classes", "The network does not answer the classes of the configuration. Give a bundle that does, or correct [[classes]].", Reaction.REFUSE),
    Fault(6014, "model.wrong_geometry", "The network was made for another geometry than a part type has. Correct the geometry of the part type, or give a bundle made for it.", Reaction.REFUSE),
    Fault(6015, "model.untrusted", "The bundle, or the offer of it, bears no signature of a person who is trusted here. Nothing was taken over; see what is named.", Reaction.REFUSE),
    Fault(6016, "model.bad_channel", "The folder that bundles come through cannot be used. Nothing was taken over; bring it back, then pull again.", Reaction.REFUSE),
    Fault(6017, "model.not_shadowed", "The bundle has not judged enough of this cell's own parts beside the present one. Run `station model shadow`, then promote it.", Reaction.REFUSE),
    Fault(6018, "model.screener_unproven", "What the bundle's screener may pass alone was not proven for this engine, precision, processor or part type. Prove it with `station model screen`, or set model.screener to false.", Reaction.REFUSE),
)
RECORDS = (  # 7xxx records and disk
    Fault(7001, "record.disk_failed", "Records cannot be written or read. Check that the disk is well and not full, that its files are permitted to the station, and that the data folder is in its place.", Reaction.HOLD),
    Fault(7002, "record.database_damaged", "The database cannot be used. Restore it with `station backup restore --only database`, or move it away to start a new one.", Reaction.HOLD),
    Fault(7003, "record.newer_schema", "The database was written by a newer version. Install that version, or restore what was saved before the upgrade with `station backup restore`.", Reaction.REFUSE),
    Fault(7004, "record.unknown", "There is no such record, or no record at all in this data folder.", Reaction.REFUSE),
    Fault(7005, "record.in_use", "Another process uses this data folder. End the one named, or give another folder.", Reaction.REFUSE),
    Fault(7006, "record.locked", "Another program has the database locked. End the one named; then Unhold (from Stopped: Reset).", Reaction.HOLD),
    Fault(7007, "record.disk_low", "The disk is nearly full. Make room, or keep fewer scans; what is left is the records' alone.", Reaction.WARN),
    Fault(7008, "record.journal_grows", "Another program reads the database without an end, so that its journal grows. End the one named.", Reaction.WARN),
)
RECORDINGS = (  # 75xx recordings
    Fault(7501, "recording.not_found", "The recording is no folder, or no scan in it can be used.", Reaction.REFUSE),
    Fault(7502, "recording.bad_line", "A line of recording.jsonl cannot be used; its scan is left out.", Reaction.REFUSE),
    Fault(7503, "recording.bad_image", "An image of the recording cannot be used; it is left out.", Reaction.REFUSE),
    Fault(7504, "recording.duplicate_part", "A part id appears twice in recording.jsonl; the second scan is left out.", Reaction.REFUSE),
    Fault(7505, "recording.path_outside", "A file of recording.jsonl lies outside the recording's folder; it is left out.", Reaction.REFUSE),
    Fault(7506, "recording.exists", "The folder holds a recording already. Nothing was overwritten; give another folder.", Reaction.REFUSE),
    Fault(7507, "recording.not_written", "The recording cannot be written. Make room on the disk, or give another folder.", Reaction.REFUSE),
    Fault(7508, "recording.no_labels", "What the parts of the recording are is not known. Label those named, or correct their labels.", Reaction.REFUSE),
)
BACKUPS = (  # 76xx backups
    Fault(7601, "backup.unreadable", "This is no backup, or one of another program version. Give the folder that `station backup make` named.", Reaction.REFUSE),
    Fault(7602, "backup.altered", "The backup is not as it was made: a file is missing, was changed, or came in. Take another backup.", Reaction.REFUSE),
    Fault(7603, "backup.not_written", "A backup cannot be written there, or not be restored there. Make room on the disk, or give another place.", Reaction.REFUSE),
    Fault(7604, "backup.not_noted", "The backup is whole, but the data folder does not tell when it was made. Give the right to write there, or make backups as the station's user.", Reaction.REFUSE),
)
PLANT = (  # 761x to 763x what serves the plant above the line PLC
    Fault(7610, "opcua.not_installed", "The packages of the OPC UA server are not installed. Install those of requirements/opcua.txt.", Reaction.REFUSE),
    Fault(7611, "opcua.cannot_listen", "The OPC UA server cannot listen at its address. Correct opcua.host or opcua.port, or end the program that has it.", Reaction.REFUSE),
    Fault(7612, "opcua.bad_nodesets", "The node sets of the companion specifications cannot be used. Correct opcua.nodesets, or leave it empty: the station's own nodes need none.", Reaction.REFUSE),
    Fault(7613, "opcua.bad_certificate", "The certificate of the OPC UA server, or its key, cannot be made or used. Correct the file named, or move both away: new ones are made.", Reaction.REFUSE),
    Fault(7620, "sparkplug.not_installed", "The package of the Sparkplug node is not installed. Install that of requirements/sparkplug.txt.", Reaction.REFUSE),
    Fault(7621, "sparkplug.no_broker", "The MQTT broker cannot be reached, or the connection broke. It is tried again by itself; what ends meanwhile is kept. Check sparkplug.host and the network.", Reaction.REFUSE),
    Fault(7622, "sparkplug.refused", "The MQTT broker refuses the station. Correct sparkplug.username, the password or the broker's rights; it is tried again by itself.", Reaction.REFUSE),
    Fault(7623, "sparkplug.book_unusable", "The file in which the Sparkplug node remembers what it has published cannot be used. Correct what is named, or move it away: it then begins with the next part.", Reaction.REFUSE),
    Fault(7624, "sparkplug.bad_secret", "The Sparkplug node's password or certificates cannot be read. Correct the file named and its rights.", Reaction.REFUSE),
    Fault(7629, "plant.runs_already", "Another process serves this data folder in the same way. End the one named.", Reaction.REFUSE),
    Fault(7630, "plant.not_installed", "The packages for the plant's database are not installed. Install those of requirements/central.txt.", Reaction.REFUSE),
    Fault(7631, "plant.no_database", "The plant's database cannot be reached, or the connection broke. It is tried again by itself; what ends meanwhile stays in the cell's records. Check central.host and the network.", Reaction.REFUSE),
    Fault(7632, "plant.refused", "The plant's database refuses the station. Correct central.user, the password or the user's rights (`station plant migrate --grant USER`).", Reaction.REFUSE),
    Fault(7633, "plant.wrong_schema", "The plant's database has not the tables that this version needs. Run `station plant migrate`, or install the version that made them.", Reaction.REFUSE),
    Fault(7634, "plant.no_store", "The store for scans cannot be reached, or refuses the station. It is tried again by itself; records are replicated meanwhile. Check central.store, its bucket and the key.", Reaction.REFUSE),
    Fault(7635, "plant.bad_secret", "The password of the plant's database or the key of the store cannot be read. Correct the file named and its rights.", Reaction.REFUSE),
    Fault(7636, "plant.cell_taken", "Another data folder is replicated under this cell's name. Give central.cell a name of its own, or take the name over with --take-over.", Reaction.REFUSE),
    Fault(7637, "plant.database_full", "The disk of the plant's database is full. Make room there; it is tried again by itself, and what ends meanwhile stays in the cell's records.", Reaction.REFUSE),
    Fault(7638, "plant.book_unusable", "The file in which the replication remembers who it is cannot be used. Correct what is named, or move it away and start with --take-over.", Reaction.REFUSE),
    Fault(7639, "plant.not_taken", "The plant's database does not take a row of the cell's records. It is tried again by itself, and what comes behind it waits. Read what it says, and correct its tables: a month that was detached is dropped, or attached again.", Reaction.REFUSE),
)
CONFIGURATION = (  # 8xxx configuration
    Fault(8001, "config.unreadable", "The configuration cannot be read. Correct its path, its rights, or the file at the place named.", Reaction.REFUSE),
    Fault(8002, "config.invalid", "The configuration contradicts itself or has a wrong value. Correct the keys named.", Reaction.REFUSE),
    Fault(8003, "config.bad_map", "A register map cannot be used. Correct the file at the place named.", Reaction.REFUSE),
    Fault(8004, "config.port_in_use", "A port that the simulated cell needs is in use. Stop the other program or change the port.", Reaction.REFUSE),
    Fault(8005, "config.simulator_failed", "The simulated cell did not start, or the station at it. Read its output in the detail.", Reaction.REFUSE),
    Fault(8006, "config.simulator_gone", "The simulated cell ended, or fell silent, before all its parts were through. Read the detail.", Reaction.REFUSE),
    Fault(8007, "config.file_failed", "A file or folder that is needed cannot be read or written. Check its path, its rights and the room on its disk.", Reaction.REFUSE),
    Fault(8008, "config.bad_option", "The command's options contradict each other, or one is wrong. Correct what is named.", Reaction.REFUSE),
    Fault(8010, "config.not_compiled", "A compiled part of the station is missing, or is of another version or computer. Install the station again.", Reaction.REFUSE),
)
STATION = (  # 9xxx the station itself
    Fault(9001, "station.bug", "The station met an error of its own. Note the time and send the log to its makers.", Reaction.ABORT),
    Fault(9002, "station.value_out_of_range", "A value does not fit its register. Note the time and send the log to its makers.", Reaction.ABORT),
    Fault(9003, "station.illegal_command", "This state does not accept the command. Nothing was done.", Reaction.REFUSE),
    Fault(9004, "station.stopped_by_operator", "The cell was stopped or held by an operator's command.", Reaction.REFUSE),
    Fault(9005, "station.no_such_alarm", "There is no such alarm to acknowledge. `station alarms list` shows those there are.", Reaction.REFUSE),
)
CONTROL = (  # 91xx commands to a running station
    Fault(9101, "control.no_station", "No station runs with this data folder. Start it, or name its configuration or its data folder.", Reaction.REFUSE),
    Fault(9102, "control.no_answer", "The station with this data folder does not answer. Look into its log, and ask again.", Reaction.REFUSE),
    Fault(9103, "control.stranger", "Another user's program answers in the station's place. Nothing was sent; end that program.", Reaction.REFUSE),
    Fault(9104, "control.not_permitted", "You may not command this station. Do it as its own user, or become a member of its group.", Reaction.REFUSE),
    Fault(9105, "control.no_socket", "The station's socket for commands cannot be made in the data folder. Correct what is named.", Reaction.REFUSE),
    Fault(9106, "control.too_many_watch", "So many programs watch the station already that it tells no other. Close one: a page, or whatever else watches.", Reaction.REFUSE),
    Fault(9107, "control.other_version", "The station tells what happens in another version's words. Install the same version of both.", Reaction.REFUSE),
)
PAGE = (  # 92xx the operator page
    Fault(9201, "page.not_installed", "The packages of the operator page are not installed. Install those of requirements/page.txt.", Reaction.REFUSE),
    Fault(9202, "page.cannot_listen", "The operator page cannot listen at its address. Read the reason in the detail; correct page.host or page.port, or end the program that has it.", Reaction.REFUSE),
    Fault(9203, "page.bad_certificate", "The certificate of the operator page, or its key, cannot be used. Correct page.tls_certificate and page.tls_key.", Reaction.REFUSE),
    Fault(9204, "page.disk_failed", "The people and the audit trail of the operator page cannot be read or written. Check that the disk is well and not full, and that the data folder is permitted.", Reaction.REFUSE),
    Fault(9205, "page.database_damaged", "The database of the operator page cannot be used. Move it away, and keep it for its audit trail: the page then begins without people.", Reaction.REFUSE),
    Fault(9206, "page.newer_schema", "The database of the operator page was written by a newer version. Install that version; nothing was changed.", Reaction.REFUSE),
    Fault(9207, "page.locked", "Another program has the database of the operator page locked; nothing was changed. End the one named, then try again.", Reaction.REFUSE),
    Fault(9208, "page.audit_broken", "The audit trail is not as it was written. Keep the file as it is, and find out who could change it.", Reaction.REFUSE),
    Fault(9209, "page.refused", "The page refuses this. Read the reason in the detail.", Reaction.REFUSE),
    Fault(9210, "page.no_such_model", "There is no such network, or it does not wait any more. Look at the list again.", Reaction.REFUSE),
    Fault(9211, "page.model_changed", "Somebody else has decided on the network meanwhile; nothing was changed. Look at the list, and decide again.", Reaction.REFUSE),
    Fault(9230, "page.no_metrics", "The page gives no figures to Prometheus. Set page.metrics in the configuration, and start the page anew.", Reaction.REFUSE),
    Fault(9240, "page.no_grounds", "The network cannot look at this part again, to show why it judged it so. Read the reason in the detail; the record is as it was.", Reaction.REFUSE),
)
HAND = (  # 922x who commands beside the line PLC
    Fault(9220, "hand.needed", "The line PLC has the hand: without it a person can only stop and abort. Take the hand, then try again.", Reaction.REFUSE),
    Fault(9221, "hand.taken", "Somebody else has the hand. Wait until it is given back, or ask who has it.", Reaction.REFUSE),
    Fault(9222, "hand.gone", "The hand is not yours any more. Read in the detail how it ended, look at the cell, then take it anew.", Reaction.REFUSE),
    Fault(9223, "hand.refused", "The hand cannot be taken so. Give what the detail names.", Reaction.REFUSE),
)
DOCTOR = (  # 925x the bundle for support
    Fault(9250, "doctor.not_written", "The bundle for support cannot be written. Make room on the disk, or give another place.", Reaction.REFUSE),
)
# fmt: on

FAULTS = by_code(
    CAMERA,
    PART,
    JIG,
    ROBOT,
    PLC,
    MODEL,
    RECORDS,
    RECORDINGS,
    BACKUPS,
    PLANT,
    CONFIGURATION,
    STATION,
    CONTROL,
    PAGE,
    HAND,
    DOCTOR,
)
"""All faults that a line PLC, a record or an operator may meet, by code, in the order of the numbers."""
