"""Networks that judge patches: how they are trained, exported, described, and run.

    data ─▶ train ─▶ export ─▶ weights/BUNDLE ─▶ manifest ─▶ classifier (the running station; without torch)
                        └▶ evaluate

Only `manifest` and `classifier` are used by the running station.
"""

import station  # noqa: F401  # what it keeps the engines from is settled before any of them is loaded
