#!/bin/sh
# Known vulnerabilities of what the service is locked to, by pip-audit in an environment of its own. Exit code 1 where
# there are any. Where no source of advisories answers, that is said and nothing is checked: exit code 0.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
venv=$root/.venv-advisories
if [ ! -x "$venv/bin/pip-audit" ]; then
    rm -rf "$venv"
    if ! { .venv/bin/python -m venv "$venv" && "$venv/bin/python" -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1; }; then
        echo "advisories: NOT CHECKED: pip-audit cannot be installed here" >&2
        exit 0
    fi
fi
said=$(mktemp)
trap 'rm -f "$said"' EXIT
code=0
"$venv/bin/pip-audit" --disable-pip --require-hashes -r requirements-runtime.lock --progress-spinner off --timeout 10 >"$said" 2>&1 || code=$?
skipped=$(grep -c 'could not be audited' "$said" || true)
if [ "$skipped" -gt 0 ]; then
    # Its own words would be "No known vulnerabilities found".
    echo "advisories: NOT CHECKED: the source that answers here knows nothing of $skipped packages" >&2
fi
if grep -q '^Found [0-9]* known vulnerabilit' "$said"; then
    grep -v 'could not be audited' "$said"
    exit 1
fi
[ "$skipped" -eq 0 ] || exit 0
cat "$said"
if [ "$code" -ne 0 ]; then
    echo "advisories: NOT CHECKED: no source of advisories answers here" >&2
fi
