#!/usr/bin/env bash
# Go back to the release that was installed before: rollback.sh [--yes] [--discard-since-upgrade]
#
#   --discard-since-upgrade  after a breaking migration: restore the backup made before the upgrade;
#                            the rows written since are printed first, and their database is kept
#   --yes                    ask nothing
#
# Within a major release migrations only add, so the database stays as it is and no row is lost. After
# a breaking one this stops with exit status 3 and says how many rows of each table would go.

# shellcheck source-path=SCRIPTDIR
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
export LC_ALL=C
program=rollback
# shellcheck source=lib/say.sh
source "$here/lib/say.sh"
# shellcheck source=lib/format.sh
source "$here/lib/format.sh"
# shellcheck source=lib/lock.sh
source "$here/lib/lock.sh"
# shellcheck source=lib/state.sh
source "$here/lib/state.sh"
# shellcheck source=lib/stack.sh
source "$here/lib/stack.sh"
# shellcheck source=lib/upgrade.sh
source "$here/lib/upgrade.sh"

yes='' discard='' restore_from=''
declare -A answers=()

on_exit() {
    local status=$?
    trap - EXIT
    set +e
    if ((status != 0)) && [[ -d "$state/pending" ]]; then (set -e; roll_back_pending); fi
    release_lock "$state/lock"
    exit "$status"
}

# may_go_back CURRENT PREVIOUS: the schema allows it, or the operator gives up what it does not.
may_go_back() {
    local status=0 backup
    backup="$(remembered "releases/$1.backup")"
    (rollback_check "$2" "$backup") || status=$?
    ((status != 0)) || return 0
    ((status == 3)) || fail "release $1 could not say whether $2 runs on its database; the lines above say why"
    [[ -n "$discard" ]] || {
        printf '%s: the migration of %s is breaking: %s needs the backup made before it, and the rows above would go.\n' \
            "$program" "$1" "$2" >&2
        printf '%s: run it again with --discard-since-upgrade to accept that; nothing was changed\n' "$program" >&2
        exit 3
    }
    [[ -f "$backup" ]] || fail "the backup made before the upgrade (${backup:-no name is recorded}) is not there; nothing was changed"
    restore_from="$backup"
}

main() {
    local current previous
    while (($# > 0)); do
        case "$1" in
            --yes | -y) yes=yes ;;
            --discard-since-upgrade) discard=yes ;;
            -h | --help)
                print_header "$0"
                exit 0
                ;;
            *) usage "there is no option $1" ;;
        esac
        shift
    done
    use_install_folder "${INSTALL_DIR:-$(cd "$here/../.." && pwd)}"
    take_lock "$state/lock"
    trap 'release_lock "$state/lock"' EXIT
    trap 'exit 130' INT TERM HUP
    current="$(remembered release)"
    if [[ -d "$state/pending" ]]; then
        say "an upgrade to $(remembered pending/release) was interrupted; undoing it"
        roll_back_pending
        return 0
    fi
    previous="$(remembered "releases/$current.previous")"
    [[ -n "$previous" ]] || fail "$install has no release before ${current:-this one}"
    [[ -d "$state/releases/$previous" ]] || fail "the files of release $previous are not in $state/releases; import its bundle"
    may_go_back "$current" "$previous"
    [[ -n "$yes" ]] || confirm "go back from release $current to $previous?" || fail 'nothing was changed'
    trap on_exit EXIT
    begin_pending "$previous"
    : >"$state/pending/going-back"
    bring_up "$previous"
    commit "$previous"
    say "release $previous serves again (before: $current)"
}

main "$@"
