"""How good a network gets with so many labelled parts, and what more of them would bring.

    data set ─ nested ─▶ the first n parts to train on ─ trace ─▶ a training a size, judged on the same test
    points ─ fit ─▶ error = a n^-b + c, or why there is no such curve ─ expect ─▶ one sentence

The training is in `tracing`; all else needs no torch.
"""
