"""What a bundle carries so that the station can tell parts unlike anything that its network was trained on.

    training patches ─ fit ─▶ novelty.npz      when a network is exported
    good parts ─ calibrate ─▶ calibration.json  by `station model calibrate`, from parts that were not trained on
    both ─ file ─▶ station.core.novelty.KnownSurfaces ─▶ the running station

`fit` and `calibrate` run where the station runs, without torch.
"""
