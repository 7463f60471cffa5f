#!/usr/bin/env bash
# Install Docker and Compose from files on this disk, without a network:
#   install-docker-offline.sh [--user NAME] [--no-service] [DIR]
#
#   DIR           holds docker-VERSION.tgz (the static engine) and docker-compose-linux-ARCH; by
#                 default the folder of this script
#   --user NAME   let this account use Docker (it joins the group docker, which is as good as root)
#   --no-service  install the programs, start nothing
#
# Needs root, bash, coreutils and tar. Programs go to /usr/local/bin, the compose plugin to
# /usr/local/lib/docker/cli-plugins, the service unit to /etc/systemd/system. INSTALL_ROOT puts all of
# it below another folder.

set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
target="${INSTALL_ROOT:-}"

say() { printf 'install-docker-offline: %s\n' "$*"; }

fail() {
    printf 'install-docker-offline: %s\n' "$*" >&2
    exit 1
}

machine() { uname -m; }

# one_file PATTERN WHAT: the only file of that name, or an error that says what is wrong.
one_file() {
    local found
    mapfile -t found < <(compgen -G "$1" || true)
    ((${#found[@]} > 0)) || fail "there is no $2 in $(dirname -- "$1")"
    ((${#found[@]} == 1)) || fail "there is more than one $2: ${found[*]}; leave one"
    printf '%s' "${found[0]}"
}

install_programs() {
    local engine compose unpacked
    engine="$(one_file "$1/docker-[0-9]*.tgz" 'engine (docker-VERSION.tgz)')"
    compose="$(one_file "$1/docker-compose-linux-$(machine)" "compose (docker-compose-linux-$(machine))")"
    unpacked="$(mktemp -d)"
    # shellcheck disable=SC2064 # the value of now
    trap "rm -rf -- '$unpacked'" EXIT
    tar -xzf "$engine" -C "$unpacked" 2>/dev/null || fail "$engine cannot be unpacked: it is damaged, or tar lacks gzip"
    [[ -x "$unpacked/docker/dockerd" && -x "$unpacked/docker/docker" ]] \
        || fail "$engine is not the static engine: it holds no docker/dockerd"
    "$unpacked/docker/docker" --version >/dev/null \
        || fail "$engine does not run on this machine ($(machine))"
    mkdir -p -- "$target/usr/local/bin" "$target/usr/local/lib/docker/cli-plugins"
    install -m 755 -- "$unpacked"/docker/* "$target/usr/local/bin/"
    install -m 755 -- "$compose" "$target/usr/local/lib/docker/cli-plugins/docker-compose"
    ln -sf ../lib/docker/cli-plugins/docker-compose "$target/usr/local/bin/docker-compose"
    say "$("$target/usr/local/bin/docker" --version)"
}

write_unit() {
    mkdir -p -- "$target/etc/systemd/system"
    cat >"$target/etc/systemd/system/docker.service" <<'UNIT'
[Unit]
Description=Docker engine
Documentation=https://docs.docker.com
After=local-fs.target network.target firewalld.service

[Service]
Type=notify
ExecStart=/usr/local/bin/dockerd --group docker
ExecReload=/bin/kill -s HUP $MAINPID
Restart=always
RestartSec=5
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
Delegate=yes
KillMode=process
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target
UNIT
}

make_group() {
    local user="$1" root=()
    [[ -z "$target" ]] || root=(--prefix "$target")
    getent group docker >/dev/null || groupadd --system "${root[@]}" docker
    if [[ -n "$user" ]]; then
        usermod --append --groups docker "${root[@]}" "$user"
        say "$user may use Docker after the next log-in"
    fi
}

start_service() {
    if [[ ! -d /run/systemd/system ]]; then
        say 'there is no systemd here; start the engine with: /usr/local/bin/dockerd --group docker'
        return 0
    fi
    systemctl daemon-reload
    systemctl enable --now docker
    docker info >/dev/null || fail 'the engine does not answer: journalctl -u docker says why'
    say "the engine runs: $(docker version --format '{{.Server.Version}}'), compose $(docker compose version --short)"
}

main() {
    local user='' service=yes folder=''
    while (($# > 0)); do
        case "$1" in
            --user)
                (($# > 1)) || fail '--user needs a name'
                user="$2"
                shift
                ;;
            --no-service) service='' ;;
            -h | --help)
                sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
                exit 0
                ;;
            -*) fail "there is no option $1" ;;
            *) folder="$1" ;;
        esac
        shift
    done
    [[ "$(id -u)" == 0 || -n "$target" ]] || fail 'this needs root: sudo bash install-docker-offline.sh'
    [[ -n "$target" || ! -x /usr/bin/dockerd ]] \
        || fail 'a Docker engine is installed in /usr/bin already; remove that package first, or use it'
    install_programs "${folder:-$here}"
    write_unit
    make_group "$user"
    [[ -z "$service" ]] || start_service
}

main "$@"
