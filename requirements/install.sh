#!/usr/bin/env bash
# Fills the virtual environment VENV: TORCH, then the locked packages, then this checkout as an editable package.
# Each step is remembered by the checksum of what it depends on and is left out when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
venv=${VENV:-.venv}

fail() {
    echo "glimt: $*" >&2
    exit 1
}

make_venv() {
    command -v "$python" >/dev/null ||
        fail "there is no $python here. Install Python 3.11 or newer, or name yours: make PYTHON=python3.12 …"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "$python is $("$python" --version 2>&1); 3.11 or newer is needed. Name another: make PYTHON=python3.12 …"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python has no venv module. On Debian and Ubuntu: sudo apt-get install python3-venv"
    if [ -d "$venv" ] && [ ! -f "$venv/pyvenv.cfg" ] && [ -n "$(ls -A "$venv")" ]; then
        fail "$venv is there but is no virtual environment. Name another place: make VENV=… …"
    fi
    echo "Making the virtual environment $venv with $("$python" --version)"
    "$python" -m venv "$venv"
}

pip_install() {
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input $again "$@"
}

# step NAME TEXT INPUTS COMMAND…: run COMMAND unless it ended well for the same INPUTS before.
step() {
    local name=$1 text=$2 sum
    sum=$(cksum <<<"$3")
    shift 3
    if [ "$(cat "$venv/.glimt-$name" 2>/dev/null)" != "$sum" ]; then
        # An interrupted pip leaves packages that the next one takes for complete: such a step lays everything anew.
        again=
        [ "$(cat "$unfinished" 2>/dev/null)" != "$name" ] || again=--ignore-installed
        echo "Installing $text${again:+, which was interrupted}"
        rm -f "$venv/.glimt-$name"
        echo "$name" >"$unfinished"
        "$@"
        echo "$sum" >"$venv/.glimt-$name"
        rm -f "$unfinished"
    fi
}

"$venv/bin/python" -c 'import pip' 2>/dev/null || make_venv

unfinished="$venv/.glimt-unfinished"
torch=${TORCH:-$(cat "$venv/.glimt-torch-wanted" 2>/dev/null || echo "-r requirements/torch.txt")}

# shellcheck disable=SC2086  # TORCH is a requirement followed by pip's options
step torch "torch: $torch" "$torch $(cat requirements/torch.txt)" pip_install $torch
[ -z "${TORCH:-}" ] || echo "$TORCH" >"$venv/.glimt-torch-wanted"
# After torch, which takes any version of what it needs: the lock has the last word.
step packages "the locked packages" "$(cat requirements/lock.txt) $(cat "$venv/.glimt-torch")" \
    pip_install --require-hashes --no-deps -r requirements/lock.txt
step checkout "the command glimt" "$PWD $(cat pyproject.toml)" \
    pip_install --quiet --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
