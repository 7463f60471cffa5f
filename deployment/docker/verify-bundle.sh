#!/usr/bin/env bash
# Verify a bundle; Docker is not touched.
#
#   verify-bundle.sh [--public-key FILE | --allow-unsigned] [--quick] [DIR]
#
#   DIR                the bundle; by default offline-packages/ beside this script, or this folder
#   --public-key FILE  the key that the bundle must be signed with
#   --allow-unsigned   check sizes and hashes only: finds damage, proves no origin
#   --quick            signature, names and sizes, but not the contents
#
# Needs bash, coreutils and openssl 1.0.2 or newer, and no file but itself: take it and the public
# key from a place of your own, not from the bundle, since whoever changes a bundle can change the
# verifier in it. Exit status: 0 verified, 1 refused, 2 wrong arguments.
set -euo pipefail
shopt -s globstar dotglob nullglob
export LC_ALL=C

readonly LIST=checksums.sha256 SIGNATURE=checksums.sha256.sig SIZES=sizes.tsv
readonly BIG=67108864   # bytes; larger files are hashed one by one, with progress
readonly SHOWN=20       # problems printed at most

problems=()
declare -A hash_of=() size_of=()
paths=()

say() { printf 'verify-bundle: %s\n' "$*"; }

usage() {
    printf 'verify-bundle: %s\n' "$*" >&2
    sed_header >&2
    exit 2
}

# The comment at the top of this file, without sed.
sed_header() {
    local line
    while IFS= read -r line; do
        [[ "$line" == '#'* ]] || break
        line="${line#\#}"
        [[ "$line" == '!'* ]] || printf '%s\n' "${line# }"
    done <"${BASH_SOURCE[0]}"
}

problem() { problems+=("$*"); }

# Stop with every problem found so far.
refuse_if_any() {
    ((${#problems[@]} > 0)) || return 0
    local index
    for ((index = 0; index < ${#problems[@]} && index < SHOWN; index++)); do
        printf 'verify-bundle: REFUSED: %s\n' "${problems[index]}" >&2
    done
    ((${#problems[@]} <= SHOWN)) \
        || printf 'verify-bundle: and %d more\n' "$((${#problems[@]} - SHOWN))" >&2
    printf 'verify-bundle: %s\n' "$1" >&2
    exit 1
}

readonly COPY_AGAIN='Copy the bundle again from the machine that exported it; do not import this one.'

# --- reading the lists -----------------------------------------------------------------------

# A relative path of plain components, so that no list can point outside the bundle.
safe_path() {
    [[ -n "$1" && "$1" != /* && "$1" != */ && "/$1/" != *//* && "/$1/" != */./* \
        && "/$1/" != */../* && "$1" != *[[:cntrl:]\\]* ]]
}

# A list must be a file of whole lines.
whole_lines() {
    [[ -s "$1" && -z "$(tail -c 1 -- "$1")" ]]
}

read_list() {
    [[ -f $LIST && ! -L $LIST ]] || {
        problem "$LIST is missing: this is no bundle, or its export did not finish"
        return 0
    }
    whole_lines $LIST || {
        problem "$LIST is empty or ends in the middle of a line"
        return 0
    }
    local line path
    while IFS= read -r line; do
        path="${line:66}"
        if [[ ! "${line:0:66}" =~ ^[0-9a-f]{64}\ \ $ ]] || ! safe_path "$path"; then
            problem "$LIST has a line that is not of its form: ${line:0:80}"
        elif [[ -n "${hash_of[$path]:-}" || "$path" == "$LIST" || "$path" == "$SIGNATURE" ]]; then
            problem "$LIST names $path where it may not"
        else
            hash_of[$path]="${line:0:64}"
            paths+=("$path")
        fi
    done <$LIST
    [[ -n "${hash_of[$SIZES]:-}" ]] || problem "$LIST does not name $SIZES"
}

read_sizes() {
    [[ "$(sha256sum <$SIZES)" == "${hash_of[$SIZES]}  -" ]] || {
        problem "$SIZES was changed"
        return 0
    }
    local line size path
    while IFS= read -r line; do
        size="${line%%$'\t'*}"
        path="${line#*$'\t'}"
        if [[ ! "$size" =~ ^(0|[1-9][0-9]{0,17})$ || -z "${hash_of[$path]:-}" ]]; then
            problem "$SIZES has a line that is not of its form: ${line:0:80}"
        else
            size_of[$path]="$size"
        fi
    done <$SIZES
    for path in "${paths[@]}"; do
        [[ "$path" == "$SIZES" || -n "${size_of[$path]:-}" ]] || problem "$SIZES misses $path"
    done
}

# --- checks ----------------------------------------------------------------------------------

check_signature() {
    local key="$1"
    if [[ -z "$key" ]]; then
        say 'WARNING: the signature is not checked; damage is found, a forgery is not'
        return 0
    fi
    if [[ ! -f $SIGNATURE || -L $SIGNATURE ]]; then
        problem "$SIGNATURE is missing: the bundle is not signed, or the signature was taken away"
    elif [[ ! -f $LIST ]] \
        || ! openssl dgst -sha256 -verify "$key" -signature $SIGNATURE $LIST >/dev/null 2>&1; then
        problem "the signature does not fit $LIST and the key $key: changed, or signed by another key"
    fi
}

# What lies in the folder is what the list names: nothing missing, added, linked or special.
check_names() {
    local entry
    local -A folders=()
    for entry in "${paths[@]}"; do
        if [[ -L "$entry" ]]; then
            problem "$entry is a link; a bundle holds plain files only"
        elif [[ ! -f "$entry" ]]; then
            problem "$entry is missing"
        fi
        while [[ "$entry" == */* ]]; do
            entry="${entry%/*}"
            folders[$entry]=1
        done
    done
    for entry in **/*; do
        case "$entry" in "$LIST" | "$SIGNATURE") continue ;; esac
        [[ -z "${hash_of[$entry]:-}" ]] || continue
        if [[ -d "$entry" && ! -L "$entry" ]]; then
            [[ -n "${folders[$entry]:-}" ]] || problem "$entry/ is an extra folder"
        else
            problem "$entry is an extra file"
        fi
    done
}

check_sizes() {
    local path actual
    while IFS=' ' read -r actual path; do
        [[ "$path" == "$SIZES" || "$actual" == "${size_of[$path]:-}" ]] \
            || problem "$path has $actual bytes and should have ${size_of[$path]:-none}: changed or truncated"
    done < <(stat -c '%s %n' -- "${paths[@]}" || printf 'none (a file that stat could not read)\n')
}

human() { numfmt --to=iec --suffix=B "$1"; }

# check_contents: every file against its hash; large ones one by one with the time that remains.
check_contents() {
    local path total=0 finished=0 began=$SECONDS left
    local small=() big=()
    for path in "${paths[@]}"; do
        total=$((total + ${size_of[$path]:-0}))
        if ((${size_of[$path]:-0} > BIG)); then big+=("$path"); else small+=("$path"); fi
    done
    check_hashes "${small[@]}"
    for path in "${small[@]}"; do finished=$((finished + ${size_of[$path]:-0})); done
    # An empty list is an unset variable to bash before 4.4.
    for path in ${big[@]+"${big[@]}"}; do
        left=''
        if ((SECONDS - began > 2 && finished > 0)); then
            left=", about $(((SECONDS - began) * (total - finished) / finished)) s left"
        fi
        say "hashing $path, $(human "${size_of[$path]}"); $(human "$finished") of $(human "$total") done$left"
        check_hashes "$path"
        finished=$((finished + ${size_of[$path]}))
    done
}

# check_hashes PATH...: what sha256sum finds changed becomes a problem.
check_hashes() {
    local path line found=''
    local output
    output="$(for path in "$@"; do printf '%s  %s\n' "${hash_of[$path]}" "$path"; done \
        | sha256sum --check --quiet --strict 2>/dev/null)" && return 0
    while IFS= read -r line; do
        [[ "$line" == *': FAILED'* ]] || continue
        found=yes
        problem "${line%%: FAILED*} was changed: its hash is another"
    done <<<"$output"
    [[ -n "$found" ]] || problem "sha256sum could not check ${1:-the files}"
}

# --- the way through -------------------------------------------------------------------------

default_bundle() {
    local here
    here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
    if [[ -f "$here/$LIST" ]]; then printf '%s' "$here"; else printf '%s' "$here/offline-packages"; fi
}

main() {
    local key='' unsigned='' quick='' bundle=''
    while (($# > 0)); do
        case "$1" in
            --public-key)
                (($# > 1)) || usage '--public-key needs a file'
                key="$2"
                shift
                ;;
            --allow-unsigned) unsigned=yes ;;
            --quick) quick=yes ;;
            -h | --help)
                sed_header
                exit 0
                ;;
            -*) usage "there is no option $1" ;;
            *)
                [[ -z "$bundle" ]] || usage 'one bundle at a time'
                bundle="$1"
                ;;
        esac
        shift
    done
    [[ -n "$key" || -n "$unsigned" ]] \
        || usage 'name the key with --public-key FILE, or say --allow-unsigned'
    [[ -z "$key" || -z "$unsigned" ]] || usage '--public-key and --allow-unsigned exclude each other'
    if [[ -n "$key" ]]; then
        [[ -r "$key" && -f "$key" ]] || usage "there is no public key $key"
        key="$(realpath -- "$key")"
        openssl pkey -pubin -in "$key" -noout >/dev/null 2>&1 \
            || usage "$key is no public key; openssl cannot read it"
    fi
    bundle="${bundle:-$(default_bundle)}"
    [[ -d "$bundle" ]] || usage "there is no folder $bundle"
    cd -- "$bundle"

    check_signature "$key"
    refuse_if_any "$COPY_AGAIN"
    read_list
    refuse_if_any "$COPY_AGAIN"
    check_names
    refuse_if_any "$COPY_AGAIN"
    read_sizes
    refuse_if_any "$COPY_AGAIN"
    check_sizes
    refuse_if_any "$COPY_AGAIN"
    if [[ -n "$quick" ]]; then
        say "names and sizes of ${#paths[@]} files are as exported"
        return 0
    fi
    check_contents
    refuse_if_any "$COPY_AGAIN"
    say "verified: ${#paths[@]} files are exactly what was exported${key:+ and signed}"
}

main "$@"
