#!/usr/bin/env bash
# Found: cv2.seamlessClone writes into the mask that it is given. It clones the defect and leaves the caller's mask
#   turned inside out: 0 within, 255 on a rim of three pixels. The next call with the same array clones nothing to be
#   seen and turns the mask back; the third clones again. There is no error and no warning.
# Version: opencv-python 5.0.0.93 with numpy 2.4.6; opencv-python-headless 4.12.0.88 does the same.
# Why it matters here: one cut-out defect is blended into many good patches. With one mask for all of them every second
#   patch shows good surface and is labelled a defect, from which a network learns to reject good parts. What blends
#   hands over a copy of the mask.
# Guess before it was run: a mask is only read.
# Source: measured; https://github.com/opencv/opencv/issues/12053 tells of a mask that changes and is closed since 2018.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PY'
import sys

import cv2
import numpy as np

good = np.full((64, 64, 3), 120, np.uint8)
defective = np.full((64, 64, 3), 150, np.uint8)
defective[25:35, 25:35] = 60
mask = np.zeros((64, 64), np.uint8)
mask[20:40, 20:40] = 255
given = mask.copy()

print(f"opencv {cv2.__version__}, good surface 120, a defect that is 90 darker than what is around it")
darkest = []
for call in range(1, 5):
    blended = cv2.seamlessClone(defective, good, mask, (30, 30), cv2.NORMAL_CLONE)
    darkest.append(int(blended.min()))
    changed = np.count_nonzero(mask != given)
    print(f"call {call} with the same mask: darkest pixel {darkest[-1]}; {changed} of the mask's pixels are changed")
if not (max(darkest[::2]) < 40 and min(darkest[1::2]) > 110):
    sys.exit("changed: every call clones the defect, or none does")
print("as found")
PY
