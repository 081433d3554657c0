#!/bin/sh
# Afterwards .venv holds every pinned dependency (checked by hash) and this project itself, editable.
# Does nothing when that is so already. RUNTIME=1 leaves out what only tests and development need, and installs a copy
# instead of the editable project: for the user that runs the service. PYTHON names the interpreter, VENV another folder than .venv for it; uv is used
# where there is one. A Python of Debian that lacks its venv module gets it where root may install.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
venv=$root/${VENV:-.venv}
stamp=$venv/.ready
lock=requirements.lock
[ -z "${RUNTIME:-}" ] || lock=requirements-runtime.lock
ready="$root${RUNTIME:+ runtime}"

wanted() { # the interpreter asked for, else the first good one
    if [ -n "${PYTHON:-}" ]; then
        echo "$PYTHON"
        return
    fi
    for name in python3 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 && fits "$name"; then
            echo "$name"
            return
        fi
    done
    echo python3
}

fits() { # true for a CPython that we support
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

version() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true
}

is_ready() {
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$ready" ] || return 1
    [ -z "$(find "$lock" pyproject.toml -newer "$stamp")" ] || return 1
    [ -z "${RUNTIME:-}" ] || [ -z "$(find dialer carrier audio alembic docs/images docs/manual settings.toml -newer "$stamp" -type f ! -name '*.pyc')" ] || return 1
    "$venv/bin/python" -c '' 2>/dev/null || return 1
    [ -z "${PYTHON:-}" ] || [ "$(version "$venv/bin/python")" = "$(version "$PYTHON")" ]
}

has_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

install_venv() { # of the interpreter's version, else of Debian's own; only the system's Python can be mended so
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 0
    case "$("$1" -c 'import sys; print(sys.base_prefix)')" in /usr) ;; *) return 0 ;; esac
    package=python$(version "$1")-venv
    echo "setup: installing what this Python lacks (apt-get install $package)" >&2
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$package" >/dev/null ||
        echo "setup: $package was not installed" >&2
}

refuse() {
    echo "setup: $1" >&2
    exit 1
}

if is_ready; then
    exit 0
fi

# Two makes at once: the second waits for the first and then finds everything ready.
if [ -z "${SETUP_LOCKED:-}" ] && command -v flock >/dev/null 2>&1; then
    SETUP_LOCKED=1 exec flock "$root/tools" sh "$0"
fi

python=$(wanted)
command -v "$python" >/dev/null 2>&1 || refuse "no $python here: apt-get install python3 python3-venv"
[ -n "$(version "$python")" ] || refuse "$python does not run here: apt-get install python3 python3-venv, or choose one with PYTHON="
fits "$python" || refuse "$python is not Python 3.11, 3.12 or 3.13: choose one with PYTHON="

if [ -n "${RUNTIME:-}" ] && closed=$("$python" -c '
import pathlib, sys
path = pathlib.Path(sys.base_prefix).resolve()
print(next((str(one) for one in (path, *path.parents) if not one.stat().st_mode & 1), ""))') && [ -n "$closed" ]; then
    echo "setup: other users cannot run this Python ($closed is closed to them): PYTHON=/usr/bin/python3 chooses another" >&2
fi

echo "setup: Python $(version "$python"), ${VENV:-.venv} from $lock" >&2
rm -rf "$venv"
project="-e ."
[ -z "${RUNTIME:-}" ] || project=.
if command -v uv >/dev/null 2>&1; then
    uv venv --quiet --python "$(command -v "$python")" "$venv"
    VIRTUAL_ENV=$venv uv pip install --quiet --require-hashes -r "$lock"
    VIRTUAL_ENV=$venv uv pip install --quiet --no-deps --no-build-isolation --offline $project
else
    has_venv "$python" || install_venv "$python"
    has_venv "$python" || refuse "this Python cannot make virtual environments: apt-get install python3-venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index $project
fi
# Compiled once, whatever the environment says about writing bytecode: a process that compiles what it imports starts in
# seconds instead of one, and keeps a third more memory for as long as it runs.
"$venv/bin/python" -m compileall -q "$venv"/lib/python*/site-packages dialer carrier audio || true
echo "$ready" >"$stamp"
