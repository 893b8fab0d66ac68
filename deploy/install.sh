#!/bin/sh
# Brings .venv up to date with the locked versions, and does nothing when it is.
#
#   deploy/install.sh run    what `calendar-sync` and its demo need
#   deploy/install.sh dev    the tools and the test libraries as well
#
# PYTHON names the interpreter to use. pip's own settings (mirrors, certificates, proxies)
# apply. Each thing that can be missing ends in one line that says what to do.
set -eu
cd "$(dirname "$0")/.."

kind=${1:-run}
log=.venv/install.log

fail() {
    echo "calendar-sync: $1" >&2
    exit 1
}

# -- what is there ------------------------------------------------------------------

# The scripts in a .venv name its folder, so a checkout that was moved needs a new one.
key_of() {
    case $1 in
        run) cat requirements.lock setup.cfg pyproject.toml ;;
        dev) cat requirements.lock requirements-dev.lock setup.cfg pyproject.toml ;;
    esac | cksum
    pwd
}

is_current() {
    [ -x .venv/bin/python ] && [ -f ".venv/installed-$1" ] &&
        [ "$(key_of "$1")" = "$(cat ".venv/installed-$1")" ]
}

mark_current() {
    key_of "$1" >".venv/installed-$1"
}

case $kind in
    run) lock=requirements.lock ;;
    dev) lock=requirements-dev.lock ;;
    *) fail "unknown kind of installation: $kind (run or dev)" ;;
esac
if is_current "$kind"; then
    exit 0
fi

# -- Python -------------------------------------------------------------------------

version_of() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

makes_environments() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

find_python() {
    lacking='' old=''
    for name in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3 python}; do
        version=$(version_of "$name") || continue
        if ! is_new_enough "$name"; then
            old=${old:-"$name is Python $version"}
        elif ! makes_environments "$name"; then
            lacking=${lacking:-"$name (Python $version)"}
        else
            python=$name
            return
        fi
    done
    if [ -n "$lacking" ]; then
        fail "$lacking cannot make virtual environments; on Debian: apt-get install python3-venv"
    fi
    fail "Python 3.11 or newer is needed, and ${old:-no Python was found}; install it, or name one: make PYTHON=/path/to/python3"
}

is_usable() {
    [ -x .venv/bin/python ] && is_new_enough .venv/bin/python &&
        grep -qF "$PWD/.venv/bin/python" .venv/bin/pip 2>/dev/null
}

if ! is_usable; then
    find_python
    "$python" -m venv --clear .venv >/dev/null 2>&1 ||
        fail "$python cannot make the virtual environment .venv; try: $python -m venv --clear .venv"
fi

# -- packages -----------------------------------------------------------------------

# Settings of the machine that would put packages elsewhere than into .venv.
unset PIP_TARGET PIP_PREFIX PIP_ROOT PYTHONHOME PYTHONPATH
export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

explain() {
    unbuilt=$(sed -n 's/.*Failed building [a-z]* for \([^ ]*\).*/\1/p; s/.*Failed to build \([^ ]*\).*/\1/p' "$log" | head -n 1)
    if [ -n "$unbuilt" ] || grep -q 'metadata-generation-failed\|subprocess-exited-with-error' "$log"; then
        echo "${unbuilt:-a package} has no ready-made wheel for Python $(version_of .venv/bin/python) here and could not be built; use Python 3.11 to 3.14, or install a compiler (Debian: apt-get install build-essential python3-dev)"
    elif grep -q 'DO NOT MATCH THE HASHES' "$log"; then
        echo "a package is not the one that $lock names; nothing was installed"
    elif grep -q 'No space left' "$log"; then
        echo "the disk is full"
    elif grep -q 'No matching distribution\|Max retries\|ConnectionError\|connection broken\|timed out\|SSLError' "$log"; then
        echo "the packages could not be downloaded; check the network, or pip's index and proxy"
    else
        echo "pip failed: $(grep -i 'error' "$log" | tail -n 1)"
    fi
}

install() {
    .venv/bin/python -m pip install --quiet --no-deps "$@" >>"$log" 2>&1 ||
        fail "$(explain) (details: $log)"
}

echo "Installing the packages in $lock into .venv" >&2
: >"$log"
install --require-hashes --requirement "$lock"
install --no-index --no-build-isolation --editable .
mark_current "$kind"
if [ "$kind" = dev ]; then
    mark_current run
fi
