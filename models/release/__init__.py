"""From a checkpoint to the bundle that the station uses, and who let it in.

    checkpoint ─▶ export ─▶ BUNDLE ─▶ gate ─▶ report ─▶ shelf: promote ─▶ the station
                  │  graphs     torch network → OpenVINO, ONNX, weights; all from the same rounded weights
                  │  quantise   INT8 with calibration patches of every exposure
                  │  parity     every artefact against the torch network
                  └  card       what a person has to know of it

`graphs` needs torch, `quantise` NNCF; the rest runs where the station runs.
"""
