#!/usr/bin/env bash
# Render the nginx templates: render.sh OUTPUT_DIR
#
# The same templates serve containers (services by host name: set GATEWAY_RESOLVER) and host
# processes (services by loopback address). Settings come from the environment; docs/gateway.md
# lists them. OUTPUT_DIR is replaced as a whole, and only when everything could be rendered.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
templates="${GATEWAY_TEMPLATES:-$here/../../nginx}"

fail() {
    printf 'render.sh: %s\n' "$*" >&2
    exit 2
}

# need NAME REGEX WHAT: the variable must match as a whole, so that no value can end a directive.
need() {
    local name="$1" pattern="$2" what="$3"
    [[ "${!name:-}" =~ ^($pattern)$ ]] || fail "$name must be $what (now: '$(shown "$name")')"
}

shown() {
    if [[ "$1" == *TOKEN* ]]; then printf 'hidden'; else printf '%s' "${!1:-}"; fi
}

# Spaces or commas between addresses or networks; both forms of directive are rendered here
# because nginx has no loops.
trusted_proxies() {
    local format="$1" proxy
    for proxy in ${TRUSTED_PROXIES//,/ }; do
        [[ "$proxy" =~ ^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$ ]] \
            || fail "TRUSTED_PROXIES must hold IP addresses or networks (found: '$proxy')"
        # shellcheck disable=SC2059 # the format is one of two constants below
        printf "$format\n" "$proxy"
    done
}

# Workers of a master that runs as root become www-data where that account can read the pages;
# in a checkout below /root it cannot, and then they stay root.
user_directive() {
    [[ "$(id -u)" == 0 ]] || return 0
    local account="${GATEWAY_USER:-}"
    if [[ -z "$account" ]]; then
        account=root
        if id www-data >/dev/null 2>&1 && readable_by www-data; then account=www-data; fi
    fi
    printf 'user %s;' "$account"
}

readable_by() {
    local folder
    for folder in "$GATEWAY_RUN_DIR" "${FRONTEND_ROOT:-/}"; do
        runuser -u "$1" -- test -x "$folder" 2>/dev/null || return 1
    done
}

# In a container the token is a file that no other service sees.
token() {
    local file=/run/secrets/internal_token
    if [[ -z "${INTERNAL_TOKEN:-}" && -r "$file" ]]; then INTERNAL_TOKEN="$(<"$file")"; fi
}

defaults() {
    : "${GATEWAY_SITES:=gateway frontend}"
    : "${METRICS_LISTEN:=}"
    : "${GATEWAY_RESOLVER:=}"
    : "${GATEWAY_LISTEN:=8080}"
    : "${GATEWAY_TLS_LISTEN:=}"
    : "${GATEWAY_TLS_CERTIFICATE:=/run/tls/certificate.pem}"
    : "${GATEWAY_TLS_KEY:=/run/tls/key.pem}"
    : "${GATEWAY_TLS_PUBLIC_PORT:=443}"
    : "${GATEWAY_ACCESS_LOG:=/dev/stdout}"
    : "${GATEWAY_LOG_LEVEL:=warn}"
    : "${GATEWAY_WORKERS:=auto}"
    : "${FRONTEND_LISTEN:=127.0.0.1:3000}"
    : "${FRONTEND_ROOT:=/nonexistent}"
    : "${CHAT_BACKEND_ADDRESS:=127.0.0.1:8000}"
    : "${INFERENCE_ADDRESS:=127.0.0.1:8085}"
    : "${FRONTEND_ADDRESS:=$FRONTEND_LISTEN}"
    : "${TRUSTED_PROXIES:=}"
    : "${LOGIN_RATE_PER_MINUTE:=30}"
    : "${LOGIN_BURST:=20}"
}

check() {
    local host_port='[A-Za-z0-9._-]+:[0-9]{1,5}'
    local listen='([0-9.]+:|\[[0-9A-Fa-f:.]+\]:)?[0-9]{1,5}'
    local path='/[^"$;{}[:cntrl:]]*'
    need GATEWAY_SITES '(gateway|frontend)( (gateway|frontend))?' '"gateway", "frontend" or both'
    need GATEWAY_RUN_DIR '/[A-Za-z0-9._/@+-]*' 'an absolute path of plain characters'
    need GATEWAY_LISTEN "$listen" 'PORT or ADDRESS:PORT'
    need FRONTEND_LISTEN "$listen" 'PORT or ADDRESS:PORT'
    need FRONTEND_ROOT "$path" 'an absolute path'
    need CHAT_BACKEND_ADDRESS "$host_port" 'HOST:PORT'
    need INFERENCE_ADDRESS "$host_port" 'HOST:PORT'
    need FRONTEND_ADDRESS "$host_port" 'HOST:PORT'
    need GATEWAY_RESOLVER '[0-9.]*' 'the IPv4 address of a DNS server, or empty'
    need GATEWAY_ACCESS_LOG '(off|/[A-Za-z0-9._/@+-]*)' 'an absolute path or "off"'
    need GATEWAY_LOG_LEVEL 'debug|info|notice|warn|error' 'a level of the nginx error log'
    need GATEWAY_WORKERS 'auto|[1-9][0-9]?' '"auto" or a number'
    need LOGIN_RATE_PER_MINUTE '[1-9][0-9]{0,4}' 'a whole number of at least 1'
    need LOGIN_BURST '[1-9][0-9]{0,4}' 'a whole number of at least 1'
    if [[ -n "$GATEWAY_TLS_LISTEN" ]]; then
        need GATEWAY_TLS_LISTEN "$listen" 'PORT or ADDRESS:PORT'
        need GATEWAY_TLS_CERTIFICATE '/[A-Za-z0-9._/@+-]*' 'an absolute path of plain characters'
        need GATEWAY_TLS_KEY '/[A-Za-z0-9._/@+-]*' 'an absolute path of plain characters'
        need GATEWAY_TLS_PUBLIC_PORT '[0-9]{1,5}' 'the port that clients connect to'
    fi
    if [[ -n "$METRICS_LISTEN" ]]; then need METRICS_LISTEN "$listen" 'PORT or ADDRESS:PORT'; fi
    if [[ "$GATEWAY_SITES" == *gateway* ]]; then
        need INTERNAL_TOKEN '[A-Za-z0-9._~+/=-]{32,}' 'at least 32 letters, digits or ._~+/=-'
    fi
}

names() {
    printf "\${%s} " NGINX_USER_DIRECTIVE GATEWAY_RUN_DIR GATEWAY_LISTEN GATEWAY_ACCESS_LOG \
        GATEWAY_LOG_LEVEL GATEWAY_WORKERS GATEWAY_RESOLVER FRONTEND_LISTEN FRONTEND_ROOT \
        FRONTEND_ADDRESS CHAT_BACKEND_ADDRESS INFERENCE_ADDRESS TRUSTED_PROXIES_GEO \
        TRUSTED_PROXIES_REALIP LOGIN_RATE_PER_MINUTE LOGIN_BURST LOGIN_RETRY_AFTER INTERNAL_TOKEN \
        GATEWAY_TLS_LISTEN GATEWAY_TLS_CERTIFICATE GATEWAY_TLS_KEY GATEWAY_TLS_PUBLIC_PORT \
        METRICS_LISTEN
}

render() {
    envsubst "$(names)" <"$templates/$1.template" >"$2"
}

main() {
    [[ $# == 1 ]] || fail 'usage: render.sh OUTPUT_DIR'
    command -v envsubst >/dev/null || fail 'envsubst is missing; install the package gettext-base'
    local output="$1" fresh="$1.new" upstreams=fixed template site
    token
    defaults
    check
    [[ -z "$GATEWAY_RESOLVER" ]] || upstreams=resolved

    # The rendered files hold the internal token.
    umask 077
    rm -rf "$fresh"
    mkdir -p "$fresh/includes" "$fresh/sites"
    (umask 022 && mkdir -p "$GATEWAY_RUN_DIR/tmp")

    NGINX_USER_DIRECTIVE="$(user_directive)"
    TRUSTED_PROXIES_GEO="$(trusted_proxies '    %s 1;')"
    TRUSTED_PROXIES_REALIP="$(trusted_proxies 'set_real_ip_from %s;')"
    # The time in which one more attempt becomes free.
    LOGIN_RETRY_AFTER="$(((60 + LOGIN_RATE_PER_MINUTE - 1) / LOGIN_RATE_PER_MINUTE))"
    # Part of an address, where 443 is not written.
    GATEWAY_TLS_PUBLIC_PORT=":$GATEWAY_TLS_PUBLIC_PORT"
    GATEWAY_TLS_PUBLIC_PORT="${GATEWAY_TLS_PUBLIC_PORT#:443}"
    # shellcheck disable=SC2016 # a variable of nginx
    if [[ "$GATEWAY_ACCESS_LOG" != off ]]; then GATEWAY_ACCESS_LOG+=' atoll_json if=$is_logged'; fi
    export NGINX_USER_DIRECTIVE TRUSTED_PROXIES_GEO TRUSTED_PROXIES_REALIP LOGIN_RETRY_AFTER \
        GATEWAY_RUN_DIR GATEWAY_LISTEN GATEWAY_ACCESS_LOG GATEWAY_LOG_LEVEL GATEWAY_WORKERS \
        GATEWAY_RESOLVER FRONTEND_LISTEN FRONTEND_ROOT FRONTEND_ADDRESS CHAT_BACKEND_ADDRESS \
        INFERENCE_ADDRESS LOGIN_RATE_PER_MINUTE LOGIN_BURST GATEWAY_TLS_LISTEN \
        GATEWAY_TLS_CERTIFICATE GATEWAY_TLS_KEY GATEWAY_TLS_PUBLIC_PORT METRICS_LISTEN
    export INTERNAL_TOKEN="${INTERNAL_TOKEN:-}"

    render nginx.conf "$fresh/nginx.conf"
    render "upstreams-$upstreams.conf" "$fresh/upstreams.conf"
    for template in "$templates"/includes/*.conf.template; do
        site="$(basename "$template" .template)"
        render "includes/$site" "$fresh/includes/$site"
    done
    for site in $GATEWAY_SITES; do
        if [[ "$site" == gateway && -n "$GATEWAY_TLS_LISTEN" ]]; then site=gateway-tls; fi
        render "$site.conf" "$fresh/sites/$site.conf"
    done
    if [[ -n "$METRICS_LISTEN" ]]; then render metrics.conf "$fresh/sites/metrics.conf"; fi

    rm -rf "$output"
    mv "$fresh" "$output"
}

main "$@"
