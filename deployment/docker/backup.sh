#!/usr/bin/env bash
# Back up the data and the configuration of this installation while it serves: backup.sh [FILE.tar]
#
#   FILE.tar        a new file; without it backups/atoll-DATE.tar in DATA_DIR
#   --verify FILE   restore an archive into a scratch folder, compare everything, and change nothing
#   --keep N        afterwards keep only the newest N archives that this script named itself
#
# The archive appears under its name only when it is whole and on the disk. It holds secrets.

set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
program=backup
# shellcheck source=lib/say.sh
source "$here/lib/say.sh"
# shellcheck source=lib/stack.sh
source "$here/lib/stack.sh"

install="${INSTALL_DIR:-$(cd "$here/../.." && pwd)}"
partial=''

# in_image ARGS: a command on the data, in a container of its own without a network.
in_image() { compose run --rm --no-deps -T migrate atoll-chat "$@"; }

# configuration: what makes this installation what it is, as a tar archive.
configuration() {
    local name names=()
    cd -- "$install"
    shopt -s nullglob
    for name in .env deployment-config*.json nginx/site.conf "$(setting TLS_CERTIFICATE)" "$(setting TLS_KEY)"; do
        name="${name#"$install"/}"
        name="${name#./}"
        # Files elsewhere on the host belong to whoever put them there.
        if [[ -f "$name" && "$name" != /* && "/$name/" != *'/../'* ]]; then names+=("$name"); fi
    done
    tar --create --dereference --file - --files-from /dev/null -- "${names[@]}"
}

back_up() {
    local target="$1" folder
    folder="$(dirname -- "$target")"
    [[ ! -e "$target" ]] || fail "$target exists already; name a new file"
    mkdir -p -- "$folder"
    partial="$folder/.$(basename -- "$target").partial"
    (
        umask 077
        configuration | in_image backup - --config-stdin >"$partial"
    ) || fail "no backup was made; the lines above say why"
    sync -- "$partial"
    mv -- "$partial" "$target"
    partial=''
    say "$target ($(human "$(stat --format %s -- "$target")"))"
}

# thin_out FOLDER N: only archives with the names that this script gives.
thin_out() {
    local archive archives=()
    mapfile -t archives < <(shopt -s nullglob; cd -- "$1" && printf '%s\n' atoll-[0-9]*T[0-9]*Z.tar | sort --reverse)
    for archive in "${archives[@]:$2}"; do
        [[ -n "$archive" ]] || continue
        rm -f -- "$1/$archive"
        say "removed $1/$archive"
    done
}

main() {
    local target='' verify='' keep=''
    while (($# > 0)); do
        case "$1" in
            --verify)
                verify="$(value_of "$1" $# "${2:-}")"
                shift
                ;;
            --keep)
                keep="$(value_of "$1" $# "${2:-}")"
                shift
                ;;
            -h | --help)
                print_header "$0"
                exit 0
                ;;
            -*) usage "there is no option $1" ;;
            *)
                [[ -z "$target" ]] || usage "one file at a time: $target, then $1"
                target="$1"
                ;;
        esac
        shift
    done
    if [[ -n "$verify" ]]; then
        [[ -z "$target$keep" ]] || usage '--verify takes one file and nothing else'
        [[ -r "$verify" ]] || fail "$verify is not there or cannot be read"
        in_image backup-verify - <"$verify"
        exit
    fi
    [[ -z "$keep" || "$keep" =~ ^[1-9][0-9]*$ ]] || usage "--keep needs a number from 1, not $keep"
    trap '[[ -z "$partial" ]] || rm -f -- "$partial"' EXIT
    trap 'exit 130' INT TERM HUP
    local folder
    folder="$(data_folder)/backups"
    back_up "${target:-$folder/atoll-$(date --utc +%Y%m%dT%H%M%SZ).tar}"
    if [[ -n "$keep" && -d "$folder" ]]; then thin_out "$folder" "$keep"; fi
}

main "$@"
