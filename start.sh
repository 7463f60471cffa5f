#!/usr/bin/env bash
# Atoll as host processes.
#
#   ./start.sh install      prepare this machine (system packages, Python, front end, starter model)
#   ./start.sh run          prepare what is missing and run in the foreground; Ctrl-C stops
#   ./start.sh run:nogpu    the same, on the processor even where there is a GPU
#   ./start.sh stop         stop what runs from this DATA_DIR
#   ./start.sh status       state of each process
#   ./start.sh check        wait until all is ready, then ask a model a question
#   ./start.sh build        build the front end
#   ./start.sh cli chat ARGS | inference ARGS
#                           atoll-chat or atoll-inference with the settings of the stack,
#                           such as: ./start.sh cli chat set_admin
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
bootstrap="$root/deployment/local/bootstrap.sh"
stack="$root/.venv/bin/atoll-stack"

need_install() {
    [[ -x "$stack" ]] || {
        printf 'atoll: not installed yet; run ./start.sh install first\n' >&2
        exit 1
    }
}

command="${1:-help}"
shift || true
case "$command" in
    install) exec "$bootstrap" install ;;
    run) exec "$bootstrap" run "$@" ;;
    run:nogpu) DEVICE=cpu CUDA_VISIBLE_DEVICES=-1 exec "$bootstrap" run "$@" ;;
    build) exec "$bootstrap" frontend ;;
    stop | status | check | cli)
        need_install
        exec "$stack" "$command" "$@"
        ;;
    *)
        sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        [[ "$command" == help || "$command" == --help || "$command" == -h ]] || exit 2
        ;;
esac
