#!/usr/bin/env bash
# Found: `import openvino` alone writes an identification of the user into the home folder (intel/openvino_ga_cid) and
#   looks up an analytics host, from a fork of the process that imports it. It keeps silent where CI, TF_BUILD or
#   JENKINS_URL is set, so that tests on a build machine see nothing of it. Where the package openvino_telemetry cannot be
#   imported it does without.
# Version: openvino 2026.4.1 with openvino-telemetry 2025.2.0.
# Why it matters here: nothing leaves the station's computer that is not configured, and nobody wants a fork of a process
#   with real-time threads and open devices. The station bars the package before anything else is imported.
# Guess before it was run: statistics are sent by the conversion tools only, and only after a person has agreed.
# Source: openvino/tools/ovc/__init__.py and telemetry_utils.py (enable_opt_in_dialog=False, disable_in_ci=True).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 openvino-telemetry==2025.2.0
unset TF_BUILD JENKINS_URL

identified() { # HOME, what is run: whether an identification was made
    mkdir "$1"
    env -u CI HOME="$1" unshare --user --map-root-user --net "$work/venv/bin/python" -c "$2"
    test -e "$1/intel/openvino_ga_cid"
}

identified "$work/loud" "import openvino" || { echo "changed: the import makes no identification any more"; exit 1; }
if identified "$work/barred" "import sys; sys.modules['openvino_telemetry'] = None; import openvino"; then
    echo "changed: it is made without openvino_telemetry, too"
    exit 1
fi
echo "as found: an identification by the import alone, none where openvino_telemetry is barred"
