#!/usr/bin/env bash
# Put the starter models into /models when no chat model is there: the start of a container that
# ends when it has done so. What an operator put there is never touched.
set -euo pipefail

readonly models=/models

# A slot without weights, or without a folder.
is_empty() {
    [[ -z "$(find "$models/$1" -type f \( -name '*.gguf' -o -name '*.safetensors' -o -name '*.bin' \
        -o -name '*.onnx' \) -print -quit 2>/dev/null)" ]]
}

# copy SLOT NAME: under another name first, so that a copy that was cut short is never served.
copy() {
    local target="$models/$1/$2"
    mkdir -p "$models/$1"
    rm -rf "$models/$1/.$2.partial"
    cp -a "/starters/$1/$2" "$models/$1/.$2.partial"
    rm -rf "$target"
    mv "$models/$1/.$2.partial" "$target"
    printf 'starter-models: %s/%s\n' "$1" "$2"
}

is_empty chat || {
    printf 'starter-models: there is a chat model in the models folder; nothing to do\n'
    exit 0
}
for folder in /starters/*/*/; do
    slot="$(basename "$(dirname "$folder")")"
    if is_empty "$slot"; then copy "$slot" "$(basename "$folder")"; fi
done
