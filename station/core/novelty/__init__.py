"""What the network has never seen: told from its training, patch by patch, and decided with a bound on false alarms.

    patches, features ─ known ─▶ how unlike each patch is ─ worst of a part ─ conformal ─▶ Novelty

`surface` measures patches without any learning; `known` holds what the trained ones were like; `conformal` holds what
good parts of a type that were not trained on came to. All of it is numpy and OpenCV, for the running station.
"""
