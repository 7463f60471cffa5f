#!/usr/bin/env bash
# Import a bundle on a machine without a network: verify it, load its images, bring the stack up.
#
#   import-docker-images.sh [--yes] [--start] [--public-key FILE | --allow-unsigned]
#                           [--base BUNDLE] [DIR]
#
#   --public-key FILE  the key that the bundle must be signed with; later imports remember it
#   --allow-unsigned   accept a bundle without proof of its origin
#   --start            start it, check it with a real question, and go back if it fails
#   --yes              ask nothing
#   --base BUNDLE      for a delta: the whole bundle it builds on, when the engine lacks those images
#   DIR                the bundle; by default this folder, or offline-packages/ beside this script
#
# The stack is installed into INSTALL_DIR: by default the folder that holds the bundle, or the
# project when this is its deployment/docker. HTTP_PORT, HTTP_BIND, DATA_DIR, MODELS_DIR, ATOLL_UID,
# ATOLL_GID and COMPOSE_PROJECT_NAME in the environment go into a first .env.
# It may be killed at any point and run again. Needs bash, coreutils, tar, openssl, Docker 20.10 and
# Compose 2.20.

# shellcheck source-path=SCRIPTDIR
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
export LC_ALL=C
program=import-docker-images
# shellcheck source=lib/say.sh
source "$here/lib/say.sh"
# shellcheck source=lib/format.sh
source "$here/lib/format.sh"
# shellcheck source=lib/lock.sh
source "$here/lib/lock.sh"
# shellcheck source=lib/state.sh
source "$here/lib/state.sh"
# shellcheck source=lib/images.sh
source "$here/lib/images.sh"
# shellcheck source=lib/stack.sh
source "$here/lib/stack.sh"
# shellcheck source=lib/upgrade.sh
source "$here/lib/upgrade.sh"
# shellcheck source=lib/preflight.sh
source "$here/lib/preflight.sh"

yes='' start='' public_key='' unsigned='' base_bundle='' bundle='' scratch=''
declare -A answers=()

parse() {
    while (($# > 0)); do
        case "$1" in
            --yes | -y) yes=yes ;;
            --start) start=yes ;;
            --public-key) public_key="$(value_of "$1" $# "${2:-}")"; shift ;;
            --allow-unsigned) unsigned=yes ;;
            --base) base_bundle="$(value_of "$1" $# "${2:-}")"; shift ;;
            -h | --help)
                print_header "$0"
                exit 0
                ;;
            -*) usage "there is no option $1" ;;
            *) bundle="$1" ;;
        esac
        shift
    done
    [[ -z "$public_key" || -z "$unsigned" ]] || usage '--public-key and --allow-unsigned exclude each other'
}

find_places() {
    local project=''
    if [[ -f "$here/checksums.sha256" ]]; then
        bundle="${bundle:-$here}"
    else
        bundle="${bundle:-$here/offline-packages}"
        project="$(cd "$here/../.." && pwd)"
    fi
    [[ -d "$bundle" ]] || fail "there is no bundle $bundle; name its folder"
    bundle="$(realpath -- "$bundle")"
    [[ -z "$base_bundle" ]] || base_bundle="$(realpath -- "$base_bundle")"
    use_install_folder "${INSTALL_DIR:-${project:-$(dirname -- "$bundle")}}"
}

check_tools() {
    local tool
    for tool in sha256sum stat numfmt df realpath timeout tar openssl docker; do
        command -v "$tool" >/dev/null || fail "$tool is missing; needed are coreutils, tar, openssl and docker"
    done
}

# choose_proof: the key given, the key of the last import, or the operator's word.
choose_proof() {
    if [[ -z "$public_key" && -z "$unsigned" ]]; then
        [[ -f "$state/public-key.pub" ]] \
            || fail 'name the key that this bundle is signed with: --public-key FILE (from the trust kit), or say --allow-unsigned'
        public_key="$state/public-key.pub"
        say "checking against the key of the last import, $public_key"
    elif [[ -n "$unsigned" && -f "$state/public-key.pub" ]]; then
        warn 'the release installed here was signed; --allow-unsigned gives that up for this import'
    fi
    proof=(--allow-unsigned)
    if [[ -n "$public_key" ]]; then
        public_key="$(realpath -- "$public_key")"
        proof=(--public-key "$public_key")
    fi
}

verify() { bash "$here/verify-bundle.sh" "${proof[@]}" "$@" "$bundle"; }

# gather_answers: what a first .env shall say.
gather_answers() {
    local name
    [[ ! -f "$install/.env" ]] || return 0
    for name in "${ANSWERS[@]}"; do
        if [[ -n "${!name:-}" ]]; then answers[$name]="${!name}"; fi
    done
    if [[ -z "$yes" && -t 0 ]]; then
        ask_for HTTP_PORT 'port of the web page' 80
        ask_for DATA_DIR 'folder for accounts, conversations and files' ./data
        ask_for MODELS_DIR 'folder with model weights' ./models
    fi
}

ask_for() {
    local answer
    [[ -z "${answers[$1]:-}" ]] || return 0
    read -r -p "$program: $2 [$3]: " answer
    if [[ -n "$answer" ]]; then answers[$1]="$answer"; fi
}

# copy_models: weights of the bundle into MODELS_DIR; files that are there already stay.
copy_models() {
    local path target place whole
    [[ -d "$bundle/models" ]] || return 0
    place="${answers[MODELS_DIR]:-$(setting MODELS_DIR)}"
    place="${place:-./models}"
    [[ "$place" == /* ]] || place="$install/$place"
    say "copying models to $place, $(human "$(bytes_below "$bundle/models")")"
    while IFS= read -r path; do
        case "$path" in
            *.part[0-9][0-9]) continue ;;
            *.joined-sha256)
                path="${path%.joined-sha256}"
                whole="$(cat -- "$bundle/models/$path.joined-sha256")"
                ;;
            *) whole='' ;;
        esac
        target="$place/$path"
        [[ ! -e "$target" ]] || continue
        mkdir -p -- "$(dirname -- "$target")"
        local volumes
        mapfile -t volumes < <(volumes_of "$bundle/models/$path")
        cat -- "${volumes[@]}" >"$target.copying"
        [[ -z "$whole" || "$(sha256sum <"$target.copying")" == "$whole  -" ]] \
            || fail "$target.copying is not the file that was exported; copy the bundle again"
        mv -- "$target.copying" "$target"
    done < <(files_below "$bundle/models")
}

# recover: an upgrade to another release that was cut short is undone first.
recover() {
    local pending
    pending="$(remembered pending/release)"
    [[ -n "$pending" ]] || return 0
    if [[ "$pending" == "$release" && -n "$start" ]]; then
        say "an import of $release was interrupted after: $(tail -n 1 "$state/journal" | tr '\t' ' '); going on"
    else
        say "an upgrade to $pending was interrupted; undoing it first"
        roll_back_pending
    fi
}

on_exit() {
    local status=$?
    trap - EXIT
    set +e
    if ((status != 0)) && [[ -d "$state/pending" ]]; then (set -e; roll_back_pending); fi
    [[ -z "$scratch" ]] || rm -rf -- "$scratch"
    release_lock "$state/lock"
    exit "$status"
}

main() {
    local current
    parse "$@"
    check_tools
    find_places
    take_lock "$state/lock"
    trap 'release_lock "$state/lock"' EXIT
    choose_proof
    verify --quick
    read_info "$bundle/$INFO"
    gather_answers
    preflight
    [[ -n "$yes" ]] || confirm "import release $release into $install?" || fail 'nothing was changed'
    verify
    recover
    trap on_exit EXIT
    trap 'exit 130' INT TERM HUP
    scratch="$state/scratch"
    rm -rf -- "$scratch"
    mkdir -p -- "$scratch"
    load_images
    step files keep_release_files
    step models copy_models
    current="$(remembered release)"
    if [[ -z "$start" && -z "$yes" ]] && confirm 'start it now?'; then start=yes; fi
    if [[ -z "$start" ]]; then
        finish_without_start "$current"
        return 0
    fi
    step begin begin_pending "$release"
    step backup back_up
    bring_up "$release"
    commit "$release"
    say "release $release serves at $(address)${current:+ (before: $current)}"
    [[ -n "$current" ]] || say "the first password of $(first_account) is in $(data_folder)/first-admin-password"
}

finish_without_start() {
    if [[ -z "$1" || "$1" == "$release" ]]; then
        begin_pending "$release"
        step switch switch_files "$release"
        configure
        commit "$release"
        say "release $release is installed in $install and was not started: run this again with --start, or docker compose up -d there"
    else
        say "release $release is loaded; $1 goes on serving. Run this again with --start to upgrade"
    fi
}

first_account() {
    local name
    name="$(setting ADMIN_USERNAME)"
    printf '%s' "${name:-admin}"
}

address() {
    local port
    port="$(setting HTTP_PORT)"
    port="${port:-$(setting PORT)}"
    printf 'http://%s:%s' "$(uname -n)" "${port:-80}"
}

main "$@"
