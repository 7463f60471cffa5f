# shellcheck shell=bash
# What the bundle scripts say, ask and count. Sourced; needs bash and coreutils.

say() { printf '%s: %s\n' "$program" "$*"; }

warn() { printf '%s: WARNING: %s\n' "$program" "$*" >&2; }

fail() {
    printf '%s: %s\n' "$program" "$*" >&2
    exit 1
}

# usage WHAT: the mistake, then the comment at the top of the script.
usage() {
    printf '%s: %s\n\n' "$program" "$*" >&2
    print_header "$0" >&2
    exit 2
}

# print_header SCRIPT: its leading comment, read without sed.
print_header() {
    local line
    while IFS= read -r line; do
        [[ "$line" == '#'* ]] || break
        line="${line#\#}"
        [[ "$line" == '!'* ]] || printf '%s\n' "${line# }"
    done <"$1"
}

# value_of OPTION COUNT VALUE: the value, or a usage error when there is none.
value_of() {
    if (($2 < 2)) || [[ -z "$3" ]]; then usage "$1 needs a value"; fi
    printf '%s' "$3"
}

human() { numfmt --to=iec --suffix=B "$1"; }

# bytes_below PATH...: bytes of files and folders as they would be copied.
bytes_below() {
    local bytes _
    { du --summarize --total --bytes -- "$@" || true; } 2>/dev/null | tail -n 1 | {
        read -r bytes _ || bytes=0
        printf '%s' "${bytes:-0}"
    }
}

# free_bytes PATH: what an ordinary user may still write on the file system of PATH.
free_bytes() {
    local place="$1" bytes
    while [[ ! -e "$place" ]]; do place="$(dirname -- "$place")"; done
    { read -r _ && read -r bytes; } < <(df --output=avail --block-size=1 -- "$place")
    printf '%s' "${bytes// /}"
}

# confirm QUESTION: no terminal to ask at is an error, not a yes.
confirm() {
    local answer
    [[ -t 0 ]] || fail "there is no terminal to ask \"$1\" at; run it again with --yes"
    read -r -p "$program: $1 [y/N] " answer
    [[ "$answer" == [yYjJ]* ]]
}

# version_at_least FOUND WANTED: compares dotted numbers.
version_at_least() {
    local first
    first="$(printf '%s\n%s\n' "$2" "$1" | sort --version-sort | head -n 1)"
    [[ "$first" == "$2" ]]
}

# replace_file TARGET: standard input becomes TARGET, whole or not at all.
replace_file() {
    cat >"$1.new"
    mv -f -- "$1.new" "$1"
}
