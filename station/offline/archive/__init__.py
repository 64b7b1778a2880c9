"""`station archive`: scans that were kept, judged again by another network, on one computer or on many; see README.md.

    source ─ scans ─ done already? ─ chunks ─▶ crew: a network a worker ─▶ rows ─▶ Parquet by date, cell and model
                          ▲                                                            │
                          └──────────────── the scans' and the network's hashes ───────┴─▶ what is decided otherwise

Nothing of it runs in a cell, and a running station loads none of it, nor the packages of the extra `cluster`.
"""
