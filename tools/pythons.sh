#!/bin/sh
# The tests on every other Python that we support and this machine has, each in a virtual environment of its own: all
# but the stories of processes and browsers and calls over SIP, for which the Python of .venv is enough. PART=3: every
# third test of them.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
done_by=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')

installed() { # the first python$1 on PATH that runs and is what its name says
    (
        IFS=:
        for folder in $PATH; do
            if "$folder/python$1" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
                echo "$folder/python$1"
                return
            fi
        done
    )
}

for version in 3.11 3.12 3.13; do
    [ "$version" != "$done_by" ] || continue
    python=$(installed "$version")
    if [ -z "$python" ]; then
        echo "make test-pythons: no Python $version here, left out" >&2
        continue
    fi
    echo "make test-pythons: Python $version" >&2
    PYTHON=$python VENV=.venv-$version sh tools/setup.sh
    ".venv-$version/bin/python" -m pytest -n auto --dist worksteal -m "not story" --ignore tests/sip --part "${PART:-1}" "$@"
done
