"""Data sets for training, on disk: made from recordings with the truth, or from folders of pictures by class.

    recording ─ scans ─▶ patches ─┐
    class folders ─▶ folders ─────┼─ split ─▶ store ─▶ DATA
    alike: pictures of one object ┘

`station dataset make` does it all.
"""
