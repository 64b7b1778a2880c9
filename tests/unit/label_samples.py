"""The same few labels as the trade's programs write them, typed in from their documents."""

from typing import Any

COCO: dict[str, Any] = {
    "info": {"year": 2026, "version": "1.0"},
    "licenses": [{"id": 1, "name": "CC BY 4.0", "url": ""}],
    "images": [
        {"id": 242287, "license": 1, "file_name": "train/1.png", "width": 48, "height": 64, "date_captured": ""},
        {"id": 245915, "license": 1, "file_name": "2.png", "width": 48, "height": 64},
    ],
    "annotations": [
        {
            "id": 125686, "category_id": 7, "iscrowd": 0, "image_id": 242287, "area": 30.0,
            "segmentation": [[2.0, 3.0, 7.0, 3.0, 7.0, 9.0]], "bbox": [2.0, 3.0, 5.0, 6.0],
        },
        {"id": 1, "category_id": 0, "image_id": 242287, "bbox": [10.5, 20.25, 0.6, 43.75]},
    ],
    "categories": [
        {"supercategory": "defect", "id": 7, "name": "pit"}, {"supercategory": "defect", "id": 0, "name": "scratch"},
    ],
}  # fmt: skip
CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><id>4</id><name>spools</name><size>2</size><mode>annotation</mode><labels>
    <label><name>pit</name><type>any</type><attributes></attributes></label></labels></task>
    <dumped>2026-05-01 06:00:00.000000+00:00</dumped></meta>
  <image id="0" name="1.png" width="48" height="64">
    <box label="pit" source="manual" occluded="0" xtl="2.00" ytl="3.00" xbr="7.00" ybr="9.00" z_order="0">
      <attribute name="sure">yes</attribute>
    </box>
    <tag label="scratch" source="manual">
    </tag>
  </image>
  <image id="1" name="2.png" width="48" height="64">
  </image>
</annotations>
"""
STUDIO: list[dict[str, Any]] = [
    {
        "id": 1, "created_at": "2021-03-09T21:52:49.513742Z", "project": 83,
        "data": {"image": "/data/upload/83/e875f554-1.png"},
        "annotations": [{
            "id": 1001, "was_cancelled": False, "ground_truth": False, "created_at": "2021-03-09T22:16:08.728353Z",
            "completed_by": {"id": 10, "email": "anna@plant.example"}, "lead_time": 4.288,
            "result": [
                {
                    "from_name": "tag", "id": "Dx_aB91ISN", "source": "$image", "to_name": "img",
                    "type": "rectanglelabels", "original_width": 48, "original_height": 64, "image_rotation": 0,
                    "value": {
                        "x": 4.166666666666667, "y": 4.6875, "width": 10.416666666666668, "height": 9.375,
                        "rotation": 0, "rectanglelabels": ["pit"],
                    },
                },
                {
                    "from_name": "choice", "id": "CkRNBWbSiK", "to_name": "img", "type": "choices",
                    "value": {"choices": ["scratch"]},
                },
            ],
        }, {"completed_by": 11, "was_cancelled": True, "result": []}],
        "predictions": [{"model_version": "model 1", "result": []}],
    },
    {"id": 2, "data": {"image": "/data/local-files/?d=scans/2.png"}, "annotations": []},
]  # fmt: skip
YOLO = {
    "data.yaml": "train: ../train/images\nval: ../valid/images\nnc: 2\nnames: ['pit', 'scratch']  # two\n",
    "labels/train/1.txt": "0 0.09375 0.09375 0.104167 0.09375\n1 0.5 0.5 1 1\n",
    "labels/train/2.txt": "",
}
