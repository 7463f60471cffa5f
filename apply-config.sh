#!/usr/bin/env bash
# Write .env and the nginx files from a deployment configuration.
#
#   ./apply-config.sh FILE.json            validate, then write; the old files are kept
#   ./apply-config.sh FILE.json --check    only say whether it is valid
#   ./apply-config.sh FILE.json --diff     only show what would change, without secrets
#   ./apply-config.sh --schema             print the JSON schema of the file
#
# The file is read by the Python environment of this folder, or else by the image of the chat
# backend without a network. Any file name will do; deployment-config.example.json is a beginning.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
install="$root"
program=apply-config
# shellcheck source=deployment/docker/lib/say.sh
source "$root/deployment/docker/lib/say.sh"
# shellcheck source=deployment/docker/lib/stack.sh
source "$root/deployment/docker/lib/stack.sh"

# release: the tag of the images of this folder.
release() {
    local tag="${ATOLL_RELEASE:-$(setting ATOLL_RELEASE)}"
    printf '%s' "${tag:-local}"
}

# in_image ARGS: run atoll-chat in the image, as whoever may write this folder.
in_image() {
    local image owner
    image="atoll/chat-backend:$(release)"
    docker image inspect "$image" >/dev/null 2>&1 \
        || fail "neither .venv nor the image $image is here. Run ./start.sh install, or import a bundle."
    if [[ "$(id -u)" == 0 ]]; then
        owner="$(stat -c '%u:%g' "$root")"
    else
        owner="$(id -u):$(id -g)"
    fi
    docker run --rm -i --network none --read-only --cap-drop ALL \
        --security-opt no-new-privileges --security-opt label=disable \
        --user "$owner" -v "$root:/install" "$image" \
        atoll-chat "$@" --root /install --host-root "$root"
}

main() {
    local file='' options=()
    while (($# > 0)); do
        case "$1" in
            --check) options+=(--check) ;;
            --diff) options+=(--diff) ;;
            --schema) options+=(--schema) ;;
            -h | --help)
                print_header "$0"
                exit 0
                ;;
            -*) usage "there is no option $1" ;;
            *)
                [[ -z "$file" ]] || usage "one file at a time: $file, then $1"
                file="$1"
                ;;
        esac
        shift
    done
    local input=/dev/null given=()
    if [[ -n "$file" ]]; then
        [[ -f "$file" && -r "$file" ]] || usage "$file is not there or cannot be read"
        input="$file"
        given=(- --name "$file")
    elif [[ " ${options[*]} " != *" --schema "* ]]; then
        usage 'name the file'
    fi
    if [[ -x "$root/.venv/bin/atoll-chat" ]]; then
        exec "$root/.venv/bin/atoll-chat" apply-config "${given[@]}" "${options[@]}" \
            --root "$root" <"$input"
    fi
    command -v docker >/dev/null \
        || fail "neither .venv nor Docker is here. Run ./start.sh install, or import a bundle."
    in_image apply-config "${given[@]}" "${options[@]}" <"$input"
}

main "$@"
