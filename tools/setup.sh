#!/usr/bin/env bash
# Sets up .venv; called by the Makefile.
#   tools/setup.sh venv             make .venv with a Python of at least 3.11
#   tools/setup.sh install FILE     install a lock file into it (by uv; by pip where uv fails)
#   tools/setup.sh package          install this checkout into it
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
python="$venv/bin/python"

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

recent() { # recent COMMAND: it runs, and is Python 3.11 or newer
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11) or sys.implementation.name != "cpython")' \
        >/dev/null 2>&1
}

find_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        recent "$PYTHON" || fail "PYTHON=$PYTHON is not a CPython of at least 3.11"
        echo "$PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do
        if recent "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "Driveaway needs Python 3.11 or newer, and none was found on the PATH." \
        "Install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name it:" \
        "  make PYTHON=/path/to/python3.12 ..."
}

make_venv() {
    if [ -x "$python" ]; then
        recent "$python" || fail "$venv holds a Python older than 3.11; remove it: rm -r $venv"
        return
    fi
    local chosen
    chosen=$(find_python)
    if "$chosen" -c 'import ensurepip' >/dev/null 2>&1; then
        echo "making $venv with $("$chosen" --version)"
        "$chosen" -m venv "$venv" || {
            rm -rf "$venv"
            fail "$chosen could not make a virtual environment in $PWD/$venv"
        }
    elif command -v uv >/dev/null 2>&1; then
        uv venv --quiet --seed --python "$chosen" "$venv"
    else
        fail "$chosen has no venv module (ensurepip is missing)." \
            "Debian, Ubuntu: apt-get install python3-venv; or install uv, or name another Python:" \
            "  make PYTHON=/path/to/python3.12 ..."
    fi
}

# uv knows nothing of pip's settings: pass on the mirror and the certificates.
settings() {
    if [ -n "${PIP_INDEX_URL:-}" ] && [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
        export UV_DEFAULT_INDEX="$PIP_INDEX_URL"
    fi
    if [ -n "${PIP_CERT:-}" ] && [ -z "${SSL_CERT_FILE:-}" ]; then
        export SSL_CERT_FILE="$PIP_CERT"
    fi
}

by_pip() {
    "$python" -m pip --version >/dev/null 2>&1 || "$python" -m ensurepip >/dev/null
    "$python" -m pip install --quiet --disable-pip-version-check "$@"
}

install() {
    settings
    if [ -x "$venv/bin/uv" ]; then
        "$venv/bin/uv" pip install --python "$python" --compile-bytecode --require-hashes -r "$1" && return
        echo "uv could not install $1; trying pip" >&2
    fi
    by_pip --require-hashes -r "$1"
}

package() {
    "$venv/bin/uv" pip install --quiet --python "$python" --no-deps --no-build-isolation --offline -e . ||
        by_pip --no-deps --no-build-isolation -e .
    echo "compiling the planner's loops, once"
    "$python" -m driveaway.delivery.warming
    "$python" -m driveaway.fleet.landing.warming
}

case "${1:-}" in
    venv) make_venv ;;
    install) install "$2" ;;
    package) package ;;
    *) fail "usage: tools/setup.sh venv | install FILE | package" ;;
esac
