"""Data sets for training, on disk: made of scans and what is known of them, or of folders of pictures by class.

    scans: the truth of every pixel ─┐
    said: what people said ──────────┼─ looking ─ split ─ cutting ─▶ patches ─┐
                                     making                                   ├─ store ─▶ DATA, manifest
    layout, folder_listing: class folders ─ alike ─ split ─ folders ──────────┘

`station dataset make` does it all; `station.offline.gathering` finds the scans, and what people said of them.
"""
