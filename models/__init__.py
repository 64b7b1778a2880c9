"""Networks that judge patches: how they are trained, exported, described, and run.

    data ─▶ train ─▶ export ─▶ weights/BUNDLE ─▶ manifest ─▶ classifier (the running station; without torch)
                        └▶ evaluate

Only `manifest` and `classifier` are used by the running station.
"""
