"""What can be promised of a network: how many defective parts pass at the most, proven on parts it was not trained on.

    defective parts ─ station.offline.defective ─▶ DefectivePart ─ prove ─▶ the bundle's manifest and promise.json
    the manifest ─ sections ─▶ station.core.promise.Promise ─▶ the running station, card, gate, report and page

`fixed_sequence` is the arithmetic, `README.md` says what is promised, on what, and when it no longer holds.
"""
