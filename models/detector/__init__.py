"""A product detector: whether there is a product in a picture, and where. For pictures that are no scans of the cell.

    products, empty places ─▶ scenes ─▶ training ─▶ detector.onnx, detector.json ─▶ reader ─▶ places

A cell's own scans need none: the part is what is not black there (`station.flow.crop`). A photograph has a background,
and a classifier that is shown background answers with one of its classes all the same.
Source: the stage before the classifier in the study of aluminium parts with YOLOv5, whose usual implementation is under
the AGPL. This one is small and our own: heat of the products' middles and distances to their sides, after Zhou, Wang
and Krähenbühl, "Objects as Points", 2019, and Tian et al., "FCOS", ICCV 2019.
"""
