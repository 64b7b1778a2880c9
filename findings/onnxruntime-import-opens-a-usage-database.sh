#!/usr/bin/env bash
# Found: `import onnxruntime` alone makes an identification of the device and a database in the home folder
#   (.cache/Microsoft/DeveloperTools/.onnxruntime), keeps that open, and looks up the host that usage data goes to; a file
#   .ses comes to lie in the folder for temporary files. `disable_telemetry_events()`, which can only be called after the
#   import, changes none of it. ORT_DISABLE_TELEMETRY=1 in the environment, before the import, does.
# Version: onnxruntime 1.31.1 from PyPI, on Linux (x86-64).
# Why it matters here: nothing leaves the station's computer that is not configured, and a station that may write nowhere
#   but in its data folder must not write anywhere else. The station sets the variable before anything else is imported.
# Guess before it was run: usage data is a matter of the Windows builds, as it was for years, and off in wheels for Linux.
# Source: Privacy.md of the package, "Official Builds" and "Disabling Telemetry".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime==1.31.1

left() { # NAME, what is run: what lies in home and temporary folder afterwards
    mkdir -p "$work/$1/home" "$work/$1/tmp"
    HOME="$work/$1/home" TMPDIR="$work/$1/tmp" unshare --user --map-root-user --net "$work/venv/bin/python" -c "$2"
    (cd "$work/$1" && find . -type f | sort)
}

unset ORT_DISABLE_TELEMETRY
loud=$(left loud "import onnxruntime")
late=$(left late "import onnxruntime; onnxruntime.disable_telemetry_events()")
barred=$(left barred "import os; os.environ['ORT_DISABLE_TELEMETRY'] = '1'; import onnxruntime")
echo "$loud"
grep -q 'DeveloperTools/.onnxruntime/deviceid' <<<"$loud" || { echo "changed: the import identifies nothing any more"; exit 1; }
grep -q 'DeveloperTools/.onnxruntime/deviceid' <<<"$late" || { echo "changed: the switch in Python undoes it"; exit 1; }
test -z "$barred" || { echo "changed: with the variable it leaves $barred"; exit 1; }
echo "as found: an identification and a database by the import alone, none where the variable bars it before"
