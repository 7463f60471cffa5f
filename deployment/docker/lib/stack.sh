# shellcheck shell=bash
# The installed stack: its files, its settings, its containers. Sourced; bash, coreutils, docker.

readonly START_TIMEOUT="${ATOLL_START_TIMEOUT:-600}"

# What a first .env takes from the environment; afterwards .env alone decides.
readonly ANSWERS=(HTTP_PORT HTTP_BIND DATA_DIR MODELS_DIR ATOLL_UID ATOLL_GID COMPOSE_PROJECT_NAME)

# compose ARGS...: always of the install folder and its .env.
compose() { (cd "$install" && unset ATOLL_RELEASE COMPOSE_FILE "${ANSWERS[@]}" && docker compose "$@"); }

# setting NAME: its value in .env, without quotes.
setting() {
    local line value=''
    [[ -f "$install/.env" ]] || return 0
    while IFS= read -r line || [[ -n "$line" ]]; do
        [[ "$line" == "$1="* ]] && value="${line#*=}"
    done <"$install/.env"
    case "$value" in
        \"*\" | \'*\') value="${value:1:-1}" ;;
    esac
    printf '%s' "$value"
}

# with_setting NAME VALUE: standard input with that line replaced, or added at the end.
with_setting() {
    local line done=''
    while IFS= read -r line || [[ -n "$line" ]]; do
        if [[ "$line" == "$1="* || (-z "$done" && "$line" == "#$1="*) ]]; then
            [[ -n "$done" ]] || printf '%s=%s\n' "$1" "$2"
            done=yes
        else
            printf '%s\n' "$line"
        fi
    done
    [[ -n "$done" ]] || printf '%s=%s\n' "$1" "$2"
}

data_folder() {
    local folder
    folder="$(setting DATA_DIR)"
    folder="${folder:-./data}"
    [[ "$folder" == /* ]] || folder="$install/$folder"
    realpath --canonicalize-missing -- "$folder"
}

models_place() {
    local folder
    folder="$(setting MODELS_DIR)"
    folder="${folder:-./models}"
    [[ "$folder" == /* ]] || folder="$install/$folder"
    realpath --canonicalize-missing -- "$folder"
}

# --- files -----------------------------------------------------------------------------------

# files_below FOLDER: relative paths of its files.
files_below() {
    local path
    (
        cd -- "$1"
        shopt -s globstar dotglob nullglob
        for path in **/*; do
            if [[ -f "$path" ]]; then printf '%s\n' "$path"; fi
        done
    )
}

# keep_release_files: the bundle's stack becomes .atoll/releases/RELEASE, whole or not at all.
keep_release_files() {
    local target="$state/releases/$release" path
    rm -rf -- "$target.new"
    cp -R -- "$bundle/stack" "$target.new"
    cp -- "$bundle/$INFO" "$target.new.info"
    for path in "$target.new"/*.sh "$target.new"/deployment/docker/*.sh; do
        if [[ -f "$path" ]]; then chmod +x -- "$path"; fi
    done
    rm -rf -- "$target"
    mv -- "$target.new" "$target"
    mv -- "$target.new.info" "$target.info"
}

# begin_pending RELEASE: from here on a failure goes back. What will be replaced is linked in
# pending/back, so that the way back needs no space on the disk.
begin_pending() {
    local pending="$state/pending"
    if [[ ! -d "$pending" ]]; then
        rm -rf -- "$pending.new"
        mkdir -p -- "$pending.new/back"
        printf '%s\n' "$1" >"$pending.new/release"
        link_replaced "$state/releases/$1" "$pending.new"
        mv -- "$pending.new" "$pending"
    fi
}

# switch_files RELEASE: its files become those of the install folder; all are copied before the
# first rename.
switch_files() {
    local source="$state/releases/$1" staged="$state/staged" path
    rm -rf -- "$staged"
    cp -R -- "$source" "$staged"
    env_for "$1" >"$staged/.env"
    chmod 600 "$staged/.env"
    while IFS= read -r path; do
        mkdir -p -- "$install/$(dirname -- "$path")"
        mv -f -- "$staged/$path" "$install/$path"
    done < <(files_below "$staged")
    rm -rf -- "$staged"
    remove_stale "$1"
    # Compose run in deployment/docker reads the one .env too.
    if [[ -d "$install/deployment/docker" ]]; then ln -sfn ../../.env "$install/deployment/docker/.env"; fi
}

# remove_stale RELEASE: files that only the installed release had.
remove_stale() {
    local path current
    current="$(remembered release)"
    [[ -n "$current" && -d "$state/releases/$current" ]] || return 0
    while IFS= read -r path; do
        [[ -e "$state/releases/$1/$path" ]] || rm -f -- "${install:?}/$path"
    done < <(files_below "$state/releases/$current")
}

# link_replaced FILES PENDING: links to what the switch will replace or take away, and the names of
# what it adds.
link_replaced() {
    local path current
    current="$(remembered release)"
    {
        files_below "$1"
        printf '.env\n'
        if [[ -n "$current" && -d "$state/releases/$current" ]]; then files_below "$state/releases/$current"; fi
    } | sort -u | while IFS= read -r path; do
        if [[ -f "$install/$path" ]]; then
            mkdir -p -- "$2/back/$(dirname -- "$path")"
            ln -- "$install/$path" "$2/back/$path"
        else
            printf '%s\n' "$path" >>"$2/added"
        fi
    done
}

# switch_back: the files are again what they were before switch_files; renames only.
switch_back() {
    local path pending="$state/pending"
    [[ -d "$pending" ]] || return 0
    while IFS= read -r path; do
        # A second link is renamed, so that a way back that is cut short can be walked again.
        [[ ! "$pending/back/$path" -ef "$install/$path" ]] || continue
        ln -f -- "$pending/back/$path" "$install/$path.back"
        mv -f -- "$install/$path.back" "$install/$path"
    done < <(files_below "$pending/back")
    if [[ -f "$pending/added" ]]; then
        while IFS= read -r path; do rm -f -- "${install:?}/$path"; done <"$pending/added"
    fi
}

# env_for RELEASE: .env as it is, or a first one, with the release in it.
env_for() {
    local name source="$install/.env"
    if [[ ! -f "$source" ]]; then
        source="$state/releases/$1/.env.example"
        [[ -f "$source" ]] || source=/dev/null
    fi
    local text
    text="$(cat -- "$source"; printf .)"
    text="${text%.}"
    text="$(printf '%s' "$text" | with_setting ATOLL_RELEASE "$1")"
    if [[ -z "$(setting COMPOSE_FILE)" ]]; then
        # Named, so that no override of a clone, with its build sections, is read by itself; absolute,
        # so that it means the same in every folder.
        text="$(printf '%s\n' "$text" | with_setting COMPOSE_FILE "$install/docker-compose.yml")"
    fi
    for name in "${ANSWERS[@]}"; do
        [[ -n "${answers[$name]:-}" ]] || continue
        text="$(printf '%s\n' "$text" | with_setting "$name" "${answers[$name]}")"
    done
    printf '%s\n' "$text"
}

# --- containers ------------------------------------------------------------------------------

# state_of_containers: name, state, exit code and health of each, one a line; but of none that
# `compose run` made, which is no part of the stack.
state_of_containers() {
    local ids once service rest
    mapfile -t ids < <(compose ps --all --quiet)
    ((${#ids[@]} > 0)) || return 0
    while read -r once service rest; do
        if [[ "$once" != True ]]; then printf '%s %s\n' "$service" "$rest"; fi
    done < <(docker inspect --format '{{index .Config.Labels "com.docker.compose.oneoff"}} {{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{.State.ExitCode}} {{if .State.Health}}{{.State.Health.Status}}{{else}}-{{end}}' "${ids[@]}")
}

# remove_leftovers: what commands that were killed had made and not begun, or not taken away. Those of
# `compose run`, and those that would have replaced another: their names begin with its id, and the
# next replacement would stumble over that name.
remove_leftovers() {
    local id once name project left=()
    project="$(setting COMPOSE_PROJECT_NAME)"
    while read -r id once name; do
        if [[ "$once" == True || "$name" =~ ^[0-9a-f]{12}_ ]]; then left+=("$id"); fi
    done < <(docker ps --all --no-trunc --filter "label=com.docker.compose.project=${project:-atoll}" \
        --filter status=created --filter status=exited \
        --format '{{.ID}} {{.Label "com.docker.compose.oneoff"}} {{.Names}}')
    ((${#left[@]} == 0)) || docker rm "${left[@]}" >/dev/null || true
}

# start_stack: up, then wait until every service is healthy; prints what is not.
start_stack() {
    remove_leftovers
    compose up --detach --no-build --pull never --remove-orphans || {
        explain_containers
        return 1
    }
    wait_for_health
}

wait_for_health() {
    local began=$SECONDS last=$SECONDS service status code health waiting
    while true; do
        waiting=''
        while read -r service status code health; do
            case "$status/$code/$health" in
                exited/0/* | running/*/healthy | running/*/-) ;;
                *) waiting+=" $service ($status${health:+, $health})" ;;
            esac
        done < <(state_of_containers)
        [[ -n "$waiting" ]] || return 0
        if ((SECONDS - began > START_TIMEOUT)); then
            warn "not healthy after $START_TIMEOUT s:$waiting"
            explain_containers
            return 1
        fi
        if ((SECONDS - last >= 5)); then
            last=$SECONDS
            say "  waiting for$waiting"
        fi
        sleep 0.5
    done
}

# explain_containers: the last lines of every container that is not well.
explain_containers() {
    local service status code health
    while read -r service status code health; do
        case "$status/$code/$health" in exited/0/* | running/*/healthy | running/*/-) continue ;; esac
        printf -- '--- %s: %s, exit status %s, health %s\n' "$service" "$status" "$code" "$health" >&2
        compose logs --no-color --tail 15 "$service" >&2 || true
    done < <(state_of_containers)
}

# image_missing: images that compose names and the engine lacks.
image_missing() {
    local image
    while IFS= read -r image; do
        docker image inspect "$image" >/dev/null 2>&1 || printf '%s ' "$image"
    done < <(compose config --images | sort -u)
}
