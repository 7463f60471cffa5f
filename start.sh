#!/usr/bin/env bash
# Atoll as its operators start it: as containers when the images are here, else as host processes.
#
#   ./start.sh install      import the bundle in offline-packages/; without one install from
#                           offline/; without that fetch what is missing
#   ./start.sh run          start, and ask a model a question; host processes stay in the
#                           foreground and Ctrl-C stops them, containers run on
#   ./start.sh run:nogpu    the same, on the processor even where there is a GPU
#   ./start.sh stop         stop what runs from this DATA_DIR
#   ./start.sh status       state of each process or container; 3 when not all is well
#   ./start.sh check        wait until all is ready, then ask a model a question
#   ./start.sh build        build the images and export them to offline-packages/; without Docker
#                           build the front end
#   ./start.sh cli chat ARGS | inference ARGS
#                           atoll-chat or atoll-inference with the settings of the stack, such as:
#                           ./start.sh cli chat set_admin
#                           ./start.sh cli inference run speech_recognition /workspace/a.wav
#                           /workspace is the current folder in both ways of running
#
# Where both are possible, DEPLOYMENT_TYPE=docker or local in .env decides.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
install="$root"
program=start
bootstrap="$root/deployment/local/bootstrap.sh"
stack="$root/.venv/bin/atoll-stack"
# shellcheck source=deployment/docker/lib/say.sh
source "$root/deployment/docker/lib/say.sh"
# shellcheck source=deployment/docker/lib/stack.sh
source "$root/deployment/docker/lib/stack.sh"

readonly IMAGES=(gateway frontend chat-backend inference)
readonly NEED_VISION=(relation consistency conflict)

# Variables of this shell win over .env, as they do for host processes.
compose() { (cd "$root" && docker compose "$@"); }

docker_works() { command -v docker >/dev/null && docker info >/dev/null 2>&1; }

have_images() {
    local name tag
    tag="${ATOLL_RELEASE:-$(setting ATOLL_RELEASE)}"
    for name in "${IMAGES[@]}"; do
        docker image inspect "atoll/$name:${tag:-local}" >/dev/null 2>&1 || return 1
    done
}

# host_processes_run: a stack of host processes has this DATA_DIR now.
host_processes_run() {
    local pid folder="${DATA_DIR:-$(data_folder)}"
    pid="$(cat "$folder/run/stack/supervisord.pid" 2>/dev/null)" && kill -0 "$pid" 2>/dev/null
}

# mode: docker or local.
mode() {
    local type="${DEPLOYMENT_TYPE:-$(setting DEPLOYMENT_TYPE)}"
    case "$type" in
        docker | local) printf '%s' "$type" ;;
        '')
            if ! host_processes_run && docker_works && have_images; then printf docker; else printf local; fi
            ;;
        *) fail "DEPLOYMENT_TYPE: $type is neither docker nor local" ;;
    esac
}

# need_bootstrap: an installation from a bundle has no host processes.
need_bootstrap() {
    [[ -x "$bootstrap" ]] \
        || fail 'this installation runs as containers, and Docker or one of its images is not here. Start Docker, or import the bundle: ./start.sh install'
}

need_install() {
    need_bootstrap
    [[ -x "$stack" ]] || fail 'not installed yet; run ./start.sh install first'
}

install_stack() {
    local bundle
    for bundle in "$root/offline-packages" "$root/deployment/docker/offline-packages"; do
        if [[ -f "$bundle/import-docker-images.sh" ]]; then
            say "importing the bundle in $bundle"
            INSTALL_DIR="$root" exec bash "$bundle/import-docker-images.sh" "$@"
        fi
    done
    need_bootstrap
    exec "$bootstrap" install
}

# --- as containers ----------------------------------------------------------------------------

# without_gpu: COMPOSE_FILE without the GPU override.
without_gpu() {
    local file files="${COMPOSE_FILE:-$(setting COMPOSE_FILE)}" kept=''
    while IFS= read -r -d : file; do
        [[ "$file" == *compose.gpu.yml ]] || kept+="${kept:+:}$file"
    done <<<"$files:"
    printf '%s' "$kept"
}

docker_run() {
    if [[ "$1" == run:nogpu ]]; then
        export DEVICE=cpu COMPOSE_FILE
        COMPOSE_FILE="$(without_gpu)"
        [[ -n "$COMPOSE_FILE" ]] || unset COMPOSE_FILE
    fi
    say 'starting the containers'
    compose up --detach || {
        explain_containers
        fail 'the containers did not start; the lines above say why'
    }
    wait_for_health || fail 'not every service is well; the lines above say why'
    docker_check
    local first address
    address="$(compose port gateway 8080 2>/dev/null || true)"
    say "it runs${address:+ on port ${address##*:}}; ./start.sh stop ends it, docker compose logs -f shows what it does"
    first="$(data_folder)/first-admin-password"
    if [[ -f "$first" ]]; then say "the administrator's first password is in $first"; fi
}

docker_check() {
    wait_for_health || fail 'not every service is well; the lines above say why'
    compose exec -T chat-backend atoll-chat selftest
}

# docker_status: 3 when a service is not there or not well.
docker_status() {
    local service status code health well=yes seen=0
    while read -r service status code health; do
        printf '%-16s %-10s %s\n' "$service" "$status" "${health#-}"
        seen=$((seen + 1))
        case "$status/$code/$health" in
            exited/0/* | running/*/healthy | running/*/-) ;;
            *) well='' ;;
        esac
    done < <(state_of_containers)
    ((seen > 0)) || say 'no container of this installation is there'
    [[ -n "$well" ]] && ((seen > 0)) || exit 3
}

docker_cli() {
    local what="$1" tty=()
    shift
    [[ -t 0 && -t 1 ]] || tty=(-T)
    if [[ "$what" == chat ]]; then
        # The running server is asked where there is one: it alone writes the database.
        if [[ -n "$(compose ps --quiet --status running chat-backend)" ]]; then
            compose exec "${tty[@]}" chat-backend atoll-chat "$@"
        else
            compose run --rm --no-deps "${tty[@]}" chat-backend atoll-chat "$@"
        fi
    else
        compose run --rm --no-deps "${tty[@]}" --user "$(id -u):$(id -g)" --volume "$PWD:/workspace" \
            --workdir /workspace inference atoll-inference "$@"
    fi
}

# --- as host processes ------------------------------------------------------------------------

# here_path ARGUMENT: /workspace/… is the current folder, as in a container.
here_path() {
    if [[ "$1" == /workspace/* && ! -d /workspace ]]; then
        printf '%s' "$PWD/${1#/workspace/}"
    else
        printf '%s' "$1"
    fi
}

local_cli() {
    local argument arguments=()
    for argument in "$@"; do arguments+=("$(here_path "$argument")"); done
    need_install
    exec "$stack" cli "${arguments[@]}"
}

# --- commands ---------------------------------------------------------------------------------

cli() {
    local what="${1:-}"
    case "$what" in
        chat | inference) ;;
        *)
            if [[ -n "$what" && " ${NEED_VISION[*]} " == *" $what "* ]]; then
                printf 'start: %s needs the vision-language model, which this release does not have yet\n' "$what" >&2
            else
                printf 'start: cli takes chat or inference, then what they take\n' >&2
            fi
            exit 2
            ;;
    esac
    if [[ "$(mode)" == docker ]]; then docker_cli "$@"; else local_cli "$@"; fi
}

build() {
    if [[ "${DEPLOYMENT_TYPE:-$(setting DEPLOYMENT_TYPE)}" != local ]] && docker_works; then
        exec bash "$root/deployment/docker/export-docker-images.sh" "$@"
    fi
    need_bootstrap
    exec "$bootstrap" frontend
}

main() {
    local command="${1:-help}"
    shift || true
    case "$command" in
        install) install_stack "$@" ;;
        run | run:nogpu)
            if [[ "$(mode)" == docker ]]; then
                docker_run "$command"
            else
                if [[ "$command" == run:nogpu ]]; then export DEVICE=cpu CUDA_VISIBLE_DEVICES=-1; fi
                need_bootstrap
                exec "$bootstrap" run "$@"
            fi
            ;;
        build) build "$@" ;;
        cli) cli "$@" ;;
        stop | status | check)
            if [[ "$(mode)" == docker ]]; then
                case "$command" in
                    stop) compose down ;;
                    status) docker_status ;;
                    check) docker_check ;;
                esac
            else
                need_install
                exec "$stack" "$command" "$@"
            fi
            ;;
        help | --help | -h) print_header "$0" ;;
        *)
            print_header "$0" >&2
            exit 2
            ;;
    esac
}

main "$@"
