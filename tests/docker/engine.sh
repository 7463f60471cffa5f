#!/usr/bin/env bash
# A Docker engine for the tests in this folder, on a Debian 12 that has none: engine.sh
#
# Installs the engine, Compose and buildx of the next Debian release from the mirror that this
# machine uses already (Debian 12's own Compose is too old), starts the engine unless one answers,
# and makes the base image from Debian's packages where no image registry can be asked. Safe to run
# again; needs root. The engine it starts is ended with: kill "$(cat /run/docker.pid)"
set -euo pipefail

readonly base="${BASE_IMAGE:-debian:bookworm-slim}"
readonly state="${ATOLL_TEST_ENGINE_DIR:-/tmp/atoll-test-engine}"
export DEBIAN_FRONTEND=noninteractive

say() { printf 'engine.sh: %s\n' "$*"; }

fail() {
    say "$*" >&2
    exit 1
}

# quietly WHAT COMMAND...: the output only when it fails; twice, for mirrors that stumble.
quietly() {
    local what="$1" log="$state/step.log"
    shift
    say "$what"
    "$@" >"$log" 2>&1 && return
    sleep 5
    "$@" >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        fail "$what failed; the lines above say why"
    }
}

# mirror CODENAME: where apt gets that suite from.
# shellcheck disable=SC2016 # apt fills in the format
mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $1" | head -n 1
}

have_programs() {
    command -v dockerd >/dev/null && docker compose version >/dev/null 2>&1 \
        && docker buildx version >/dev/null 2>&1
}

install_engine() {
    local main names='docker.io docker-cli docker-compose docker-buildx containerd'
    [[ "$(id -u)" == 0 ]] || fail 'no Docker engine answers, and only root can install one'
    [[ "$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")" == bookworm ]] \
        || fail 'this script knows Debian 12 alone; install Docker and Compose 2.20 or newer yourself'
    [[ -n "$(mirror bookworm)" ]] || quietly 'reading the package lists' apt-get update
    main="$(mirror bookworm)"
    [[ -n "$main" ]] || fail 'apt has no source for Debian 12'
    printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: %s\n' "$main" \
        /usr/share/keyrings/debian-archive-keyring.gpg >/etc/apt/sources.list.d/atoll-engine.sources
    printf 'Package: *\nPin: release n=trixie\nPin-Priority: -1\n\nPackage: %s\n%s\n' "$names" \
        $'Pin: release n=trixie\nPin-Priority: 990' >/etc/apt/preferences.d/atoll-engine
    quietly 'reading the package lists' apt-get update
    # shellcheck disable=SC2086 # names of packages
    quietly 'installing the engine' apt-get install -y --no-install-recommends $names iptables
}

start_engine() {
    [[ "$(id -u)" == 0 ]] || fail 'no Docker engine answers, and only root can start one'
    say 'starting the engine'
    # It lives on, and must not take the lock with it.
    setsid nohup dockerd >"$state/dockerd.log" 2>&1 </dev/null 9>&- &
    for _ in $(seq 120); do
        if docker info >/dev/null 2>&1; then return; fi
        sleep 0.5
    done
    tail -n 20 "$state/dockerd.log" >&2
    fail 'the engine does not answer; the lines above are the end of its log'
}

make_base() {
    local main security archive="$state/base.tar"
    # Whoever can reach an image registry has the real one.
    if timeout 60 docker pull --quiet "$base" >/dev/null 2>&1; then return; fi
    command -v mmdebstrap >/dev/null \
        || quietly 'installing mmdebstrap' apt-get install -y --no-install-recommends mmdebstrap
    main="$(mirror bookworm)"
    security="$(mirror bookworm-security)"
    quietly "making $base from Debian's packages" mmdebstrap --mode=root --variant=minbase \
        --format=tar --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        bookworm "$archive" "deb $main bookworm main" "deb $main bookworm-updates main" \
        "deb ${security:-$main} bookworm-security main"
    docker import --change 'CMD ["bash"]' "$archive" "$base" >/dev/null
    rm -f "$archive"
}

mkdir -p "$state"
exec 9>"$state/lock"
flock 9
have_programs || install_engine
docker info >/dev/null 2>&1 || start_engine
docker image inspect "$base" >/dev/null 2>&1 || make_base
say "engine $(docker version --format '{{.Server.Version}}'), compose $(docker compose version --short), base $base"
