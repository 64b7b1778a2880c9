"""The records on disk: one SQLite file and the archived scans, in one data folder.

    folder/station.lock      held by the kernel for the process that writes here
    folder/records.sqlite    every inspection, order and event; WAL, synchronous FULL
    folder/archive/          scans as PNG, archive/YYYY/MM/DD/INSPECTION_ID.png

`station.records.ledger` writes them, `station.records.reader` reads them.
"""
