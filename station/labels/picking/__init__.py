"""Which parts to label next, and what the labels of those that were drawn by lot say of all.

    records, archive ─ candidates ─▶ the scans that may be labelled, one a part, and how unsure the network was
    labels ─ truths ─▶ what is known of parts
    both ─ choose ─▶ the most unsure, and some by lot
    both ─ rates ─▶ escapes and overkill, with exact limits

Lots, and what they are for, are in `lot`.
"""
