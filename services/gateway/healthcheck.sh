#!/usr/bin/env bash
# Does this container's nginx serve? healthcheck.sh asks it over HTTP: 0 yes, 1 no.
#
# The gateway is asked for a path that it answers itself (404), so that it stays healthy while a
# service behind it is created again; the front end for its start page.
set -euo pipefail

ask() {
    local address="$1" path="$2" status
    exec 3<>"/dev/tcp/${address%:*}/${address##*:}"
    printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$path" >&3
    read -r -t 4 _ status _ <&3
    printf '%s' "$status"
}

# address LISTEN: where a `listen` value is reached from inside.
address() {
    case "$1" in
        *:*) printf '%s' "${1/0.0.0.0:/127.0.0.1:}" ;;
        *) printf '127.0.0.1:%s' "$1" ;;
    esac
}

if [[ "$GATEWAY_SITES" == frontend ]]; then
    listen="$(address "$FRONTEND_LISTEN")" path=/ wanted=200
else
    listen="$(address "$GATEWAY_LISTEN")" path=/internal wanted=404
fi
found="$(ask "$listen" "$path" 2>/dev/null)" || found='no answer'
[[ "$found" == "$wanted" ]] || {
    printf 'http://%s%s: expected %s, got %s\n' "$listen" "$path" "$wanted" "$found"
    exit 1
}
