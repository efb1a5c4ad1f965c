#!/usr/bin/env bash
# Makes the environments of the engines that ours is measured against, each with its own torch and transformers:
# .bench/vllm and .bench/openvino, some 5 GB. What is there already is left alone; an engine that cannot be installed
# is reported, and the others are made all the same.
set -uo pipefail
cd "$(dirname "$0")/../.."

python=${PYTHON:-python3}
venv=${VENV:-.venv}
here=bench/peers
# As in requirements/install.sh: what pip shall install as torch. Both engines want this very version.
torch=${TORCH:-$(cat "$venv/.glimt-torch-wanted" 2>/dev/null || echo "torch==2.13.0")}
least_free_gb=8
failed=

say() { echo "bench-peers: $*" >&2; }

# install NAME AFTER…: the environment .bench/NAME, then the command AFTER in it.
install() {
    local name=$1 folder=.bench/$1 wanted
    shift
    wanted=$(cksum <<<"$torch $(cat "$here/$name.txt" "$here/set_up.sh")")
    if [ "$(cat "$folder/.ready" 2>/dev/null)" = "$wanted" ]; then
        say "$name is there."
        return
    fi
    say "$name: installing (gigabytes; some minutes)"
    rm -rf "$folder"
    # shellcheck disable=SC2086  # torch is a requirement followed by pip's options
    if "$python" -m venv "$folder" &&
        "$folder/bin/pip" install --disable-pip-version-check --no-input --quiet $torch &&
        "$folder/bin/python" -c 'import sys, torch; sys.exit(torch.version.cuda is not None and "torch is a CUDA build here: name a CPU build, make bench-peers TORCH=…")' &&
        "$folder/bin/pip" install --disable-pip-version-check --no-input --quiet -r "$here/$name.txt" torchvision==0.28.0 &&
        { [ $# -eq 0 ] || "$@"; } &&
        PYTHONPATH=$here "$folder/bin/python" -c "import torchvision, $(module "$name")" >"$folder/import.log" 2>&1; then
        echo "$wanted" >"$folder/.ready"
        say "$name is ready: $(du -sh "$folder" | cut -f1)"
    else
        [ ! -s "$folder/import.log" ] || tail -n 3 "$folder/import.log" >&2
        say "$name could NOT be installed; the lines above say why. It is left out of measurements."
        failed="$failed $name"
    fi
}

module() { case $1 in vllm) echo vllm ;; openvino) echo openvino_genai ;; esac; }

case "$(uname -sm)" in
"Linux x86_64") ;;
*) say "the engines are packaged for Linux on x86-64 only; this is $(uname -sm)"; exit 1 ;;
esac
mkdir -p .bench
free_gb=$(df -Pk .bench | awk 'NR == 2 { print int($4 / 1048576) }')
if [ "$free_gb" -lt "$least_free_gb" ]; then
    say "$free_gb GB are free here, and the environments need $least_free_gb."
    exit 1
fi
# torchaudio and torchcodec are linked to CUDA's torch, and vLLM imports them where it finds them.
install vllm .bench/vllm/bin/pip uninstall --yes --quiet torchaudio torchcodec
install openvino
[ -z "$failed" ] || exit 1
