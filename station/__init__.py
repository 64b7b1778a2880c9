"""The inspection station: one part's journey from the infeed to its bin."""

import os
import sys

# OpenCV's threads rest when they have done their share of a strip, instead of looking for more work on the cores that
# the network computes on. OpenCV reads this when it is loaded, so it stands before every import.
# Source: OpenCV, modules/core/src/parallel_impl.cpp.
os.environ.setdefault("OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER", "0")

# numpy's products are small here, and the cores are the network's: its threads would wait for each other, at ordinary
# priority, while a part is judged. OpenBLAS reads this when numpy is loaded.
# Source: OpenBLAS, USAGE.md, "Setting the number of threads at runtime".
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# OpenVINO, when it is imported, writes an identification of the user into the home folder and sends it to an analytics
# service, and NNCF likewise, through this package. Both do without where it cannot be imported, and nothing of this
# product leaves the computer that is not configured, so it stands before every import.
# Source: OpenVINO 2026.4, openvino/tools/ovc/__init__.py, telemetry_utils.py; NNCF 3.4, nncf/telemetry/wrapper.py.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

# ONNX Runtime, when it is imported, makes an identification of the device and a database of usage data in the home
# folder, and a thread that sends it to Microsoft; its own switch in Python comes too late for that.
# Source: ONNX Runtime 1.31.1, Privacy.md, "Disabling Telemetry".
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# Ray sends to its makers which of its features are used on what kind of cluster, unless the first computer of the
# cluster was started with this. Source: Ray 2.60, Cluster Management, "Usage Stats Collection".
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
