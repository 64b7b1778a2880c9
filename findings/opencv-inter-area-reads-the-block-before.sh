#!/usr/bin/env bash
# Found: where OpenCV's INTER_AREA spreads a picture in one direction and shrinks it in the other, it takes the factor as
#   the reciprocal of (rows / lines), which is rounded twice. Of some one in ten whole heights the reciprocal misses
#   lines / rows by a last bit, and an output row in the middle of the picture then begins one line too early. A block of
#   lines that is resized alone differs there from its part of the whole picture resized at once, although the factor is an
#   exact binary fraction and no line belongs to two blocks.
# Version: opencv-python-headless 5.0.0.93 with numpy 2.4.6.
# Why it matters here: blocks of a turn are judged while the part still turns, and must come out as in the whole turn, also
#   of parts that are narrower than a strip. So geometries whose factor is not exact in this arithmetic are refused.
# Guess before it was run: with a factor that is an exact binary fraction both ways give the same rows.
# Source: run; modules/imgproc/src/resize.cpp (inv_scale_y, and the line that each row begins at).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PY'
import sys

import cv2
import numpy as np

COLUMNS, WIDER, ROWS = 37, 1024, 512


def differing(lines: int) -> list[int]:
    """Rows of a picture of two blocks that differ when each block is resized alone."""
    picture = np.random.default_rng(1).integers(0, 256, (2 * lines, COLUMNS), np.uint8)
    whole = cv2.resize(picture, (WIDER, 2 * ROWS), interpolation=cv2.INTER_AREA)
    alone = [cv2.resize(block, (WIDER, ROWS), interpolation=cv2.INTER_AREA) for block in np.split(picture, 2)]
    return np.flatnonzero((whole != np.concatenate(alone)).any(axis=1)).tolist()


missed, near = differing(3781), differing(3584)
print("factor 3781 / 512, which its reciprocal misses:", 1 / (ROWS / 3781) != 3781 / ROWS, "rows that differ:", missed)
print("factor 3584 / 512, which it does not miss:", 1 / (ROWS / 3584) == 3584 / ROWS, "rows that differ:", near)
found = missed == [512] and near == []
print("as found" if found else "changed")
sys.exit(0 if found else 1)
PY
