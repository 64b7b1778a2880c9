"""From the labels to a bundle that waits: each step a command of its own, resumable, in the time that the line leaves.

    labels, archive ─ parts ─▶ data set ─ train ─▶ checkpoint ─ export ─▶ bundle ─ calibrate ─▶ bundle that waits
                       ├─────▶ held-out parts ──────────────────▲───────────────────────────────── evaluate, gate
                       └─────▶ good parts ────────────────────────────────────────▲

`steps` runs them in their order, and tells a result that is there from one that is to be made. `station` commands make
them, in processes that `limits` holds back; `ledger` looks meanwhile whether any part was judged late. Nothing here
activates a bundle.
"""
