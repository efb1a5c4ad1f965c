#!/usr/bin/env bash
# Fills the virtual environment VENV: the locked packages, then TORCH, then this checkout as an editable package.
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
    # An interrupted installation leaves packages that pip takes for complete: after one, everything is laid anew.
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input $again "$@"
}

# step NAME TEXT INPUTS COMMAND…: run COMMAND unless it ended well for the same INPUTS before.
step() {
    local stamp="$venv/.glimt-$1" text=$2 sum
    sum=$(cksum <<<"$3")
    shift 3
    if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$sum" ]; then
        echo "Installing $text"
        touch "$unfinished"
        "$@"
        echo "$sum" >"$stamp"
    fi
}

"$venv/bin/python" -c 'import pip' 2>/dev/null || make_venv

unfinished="$venv/.glimt-unfinished"
again=
if [ -f "$unfinished" ]; then
    echo "The last installation was interrupted: mending it"
    again=--ignore-installed
    rm -f "$venv"/.glimt-{packages,torch-installed,checkout}
fi

torch=${TORCH:-$(cat "$venv/.glimt-torch-wanted" 2>/dev/null || echo "-r requirements/torch.txt")}

step packages "the locked packages" "$(cat requirements/lock.txt)" \
    pip_install --require-hashes --no-deps -r requirements/lock.txt
# shellcheck disable=SC2086  # TORCH is a requirement followed by pip's options
step torch-installed "torch: $torch" "$torch $(cat requirements/torch.txt)" pip_install $torch
[ -z "${TORCH:-}" ] || echo "$TORCH" >"$venv/.glimt-torch-wanted"
step checkout "the command glimt" "$PWD $(cat pyproject.toml)" \
    pip_install --quiet --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
rm -f "$unfinished"
