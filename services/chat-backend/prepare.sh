#!/usr/bin/env bash
# Make the data folder fit for the services: the one-shot `prepare` of docker-compose.yml.
#
# It runs as root with five capabilities, no network and /data alone, before anything else. It
# gives folders that Docker has just made to the user of the services (ATOLL_UID:ATOLL_GID), makes
# the secrets once, and checks, as that user, that everything can be written.
set -euo pipefail
umask 077

readonly data=/data
owner="${ATOLL_UID:-10001}:${ATOLL_GID:-10001}"

fail() {
    printf 'prepare: %s\n' "$*" >&2
    exit 2
}

as_owner() {
    setpriv --reuid "${owner%:*}" --regid "${owner#*:}" --clear-groups --no-new-privs "$@"
}

# Folders that are empty belong to nobody yet: Docker makes them as root.
take_if_empty() {
    local folder="$1"
    if [[ -z "$(ls -A "$folder")" ]]; then chown "$owner" "$folder"; fi
}

make_folder() {
    if [[ ! -d "$1" ]]; then
        mkdir "$1" || fail "${HOST_DATA_DIR} cannot be written, not even by root: is it mounted read-only?"
        chown "$owner" "$1"
    fi
    chmod "$2" "$1"
}

# check_writable FOLDER: as the user of the services, the folder and every file in it.
check_writable() {
    local folder="$1" shown="${HOST_DATA_DIR}${1#"$data"}" strange
    { as_owner touch "$folder/.writable" && as_owner rm "$folder/.writable"; } 2>/dev/null \
        || fail "${shown} cannot be written by the user ${owner} of the services. On the host:
    sudo chown -R ${owner} ${HOST_DATA_DIR}
or set ATOLL_UID and ATOLL_GID in .env to the numbers of its owner (now $(stat -c '%u and %g' "$folder"))."
    # Not below the third level, where uploads may be many. Archives of backups, and what a restore
    # put aside, may belong to root.
    strange="$(as_owner find "$folder" -maxdepth 3 \( -path "$data/secrets" \
        -o -path "$data/backups" -o -path "$data/replaced-*" \) -prune -o \( -type f ! -writable \
        -o -type d ! -writable -o -type d ! -readable \) -print -quit 2>/dev/null)" || true
    [[ -z "$strange" ]] \
        || fail "${HOST_DATA_DIR}${strange#"$data"} cannot be written by the user ${owner} of the services. On the host:
    sudo chown -R ${owner} ${HOST_DATA_DIR}"
}

# kept NAME: what host processes kept in secrets.env, so that moving to containers signs nobody out.
kept() {
    [[ -f "$data/secrets.env" ]] || return 0
    sed -n "s/^$1=//p" "$data/secrets.env" | head -n 1
}

# secret NAME: the file of a secret, made once, or again when .env holds another value.
secret() {
    local file="$data/secrets/${1,,}" given="${!1:-}"
    if [[ -z "$given" && ! -s "$file" ]]; then
        given="$(kept "$1")"
        [[ -n "$given" ]] || given="$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
    fi
    if [[ -n "$given" && "$given" != "$(cat "$file" 2>/dev/null)" ]]; then
        printf '%s' "$given" >"$file.new"
        mv "$file.new" "$file"
    fi
    chown "$owner" "$file"
    chmod 600 "$file"
}

# The gateway's certificate and key, for its user to read (compose.tls.yml).
take_certificate() {
    local problem
    [[ -e /tls/certificate.pem ]] || return 0
    problem="$(python - /tls/certificate.pem /tls/key.pem 2>&1 <<'PYTHON'
import ssl, sys
try:
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*sys.argv[1:], password=lambda: "")
except (OSError, ValueError) as error:
    sys.exit(str(error))
PYTHON
)" || fail "TLS_CERTIFICATE and TLS_KEY cannot be used together: $problem. Both are PEM files; the key has no password."
    cp /tls/certificate.pem /tls/key.pem /run/tls/
    chown -R "$owner" /run/tls
    chmod 600 /run/tls/*.pem
}

[[ -z "${PORT:-}" || -z "${HTTP_PORT:-}" || "$PORT" == "$HTTP_PORT" ]] \
    || fail "PORT=$PORT and HTTP_PORT=$HTTP_PORT are both set and differ; unset one in .env"

take_if_empty "$data"
make_folder "$data/secrets" 700
make_folder "$data/inference" 700
for folder in "$data" "$data/inference"; do check_writable "$folder"; done
secret SECRET_KEY
secret INTERNAL_TOKEN
take_certificate
printf 'prepare: %s is ready for the user %s\n' "$HOST_DATA_DIR" "$owner"
