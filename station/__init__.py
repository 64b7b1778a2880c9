"""The inspection station: one part's journey from the infeed to its bin."""

import os

# OpenCV's threads rest when they have done their share of a strip, instead of looking for more work on the cores that
# the network computes on. OpenCV reads this when it is loaded, so it stands before every import.
# Source: OpenCV, modules/core/src/parallel_impl.cpp.
os.environ.setdefault("OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER", "0")
