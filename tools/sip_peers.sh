#!/bin/sh
# The peers of tests/sip: Debian's sipp, baresip and kamailio, and the extra sip. As root they are installed; otherwise this prints
# the command, and the tests are skipped.
set -eu
BIN="$(cd "$(dirname "$0")/.." && pwd)/.venv/bin"
missing=""
command -v sipp >/dev/null 2>&1 || missing="$missing sip-tester"
command -v baresip >/dev/null 2>&1 || missing="$missing baresip"
command -v kamailio >/dev/null 2>&1 || missing="$missing kamailio"
if [ -n "$missing" ]; then
    if [ "$(id -u)" != 0 ]; then
        echo "test-sip: run as root: apt-get install --no-install-recommends$missing"
    else
        # shellcheck disable=SC2086
        apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 || {
            apt-get update -qq
            apt-get install -y -qq --no-install-recommends $missing >/dev/null
        }
    fi
fi
"$BIN/python" -c 'import baresip' 2>/dev/null || "$BIN/python" -m pip install -q --no-deps baresip-python==0.5.2a3
