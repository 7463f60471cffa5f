#!/usr/bin/env bash
# Put a backup in the place of the data of this installation: restore.sh FILE.tar [--yes]
#
#   --yes        stop the stack without asking
#   --no-start   leave it stopped afterwards
#
# The archive is checked while the stack still serves, and again when it is unpacked; nothing is
# replaced before. What was there is kept in DATA_DIR/replaced-DATE, the configuration of the archive
# is written to DATA_DIR/restored-config-DATE for you to compare. Run it again after an interruption.

set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
program=restore
# shellcheck source=lib/say.sh
source "$here/lib/say.sh"
# shellcheck source=lib/stack.sh
source "$here/lib/stack.sh"

install="${INSTALL_DIR:-$(cd "$here/../.." && pwd)}"

# in_image ARGS: a command on the data, in a container of its own without a network.
in_image() { compose run --rm --no-deps -T migrate atoll-chat "$@"; }

running() { [[ -n "$(compose ps --quiet --status running)" ]]; }

main() {
    local archive='' yes='' start=yes stamp
    while (($# > 0)); do
        case "$1" in
            --yes | -y) yes=yes ;;
            --no-start) start='' ;;
            -h | --help)
                print_header "$0"
                exit 0
                ;;
            -*) usage "there is no option $1" ;;
            *)
                [[ -z "$archive" ]] || usage "one file at a time: $archive, then $1"
                archive="$1"
                ;;
        esac
        shift
    done
    [[ -n "$archive" ]] || usage 'name the archive'
    [[ -r "$archive" ]] || fail "$archive is not there or cannot be read"
    archive="$(realpath -- "$archive")"
    # Folders and secrets, also on a host that never ran it.
    compose run --rm --no-deps -T prepare
    if running; then
        say 'checking the archive before anything stops'
        in_image backup-verify - <"$archive" >/dev/null || fail 'nothing was changed, and the stack still serves'
        [[ -n "$yes" ]] || confirm "stop the stack and replace its data by $archive?" || fail 'nothing was changed'
        compose stop
    fi
    stamp="$(date --utc +%Y%m%dT%H%M%SZ)"
    in_image restore - --config-to "/data/restored-config-$stamp" <"$archive" \
        || fail "the data were not restored; the lines above say why. The stack is stopped: start it with docker compose up -d"
    say "/data in these lines is $(data_folder)"
    if [[ -d "$(data_folder)/restored-config-$stamp" ]]; then
        say "its configuration is in $(data_folder)/restored-config-$stamp"
    fi
    if [[ -n "$start" ]]; then
        start_stack
        say 'the stack serves again'
    fi
}

main "$@"
