# shellcheck shell=bash
# Import: one table of findings before anything is touched. Sourced; bash, coreutils, docker.

findings=0 warnings=0

# finding WHAT FOUND [REMEDY]: a line of the table; ok, warn or FAIL by the function's name.
ok() { printf '  ok    %-14s %s\n' "$1" "$2"; }

attention() {
    printf '  warn  %-14s %s\n' "$1" "$2"
    printf '        %-14s -> %s\n' '' "$3"
    warnings=$((warnings + 1))
}

wrong() {
    printf '  FAIL  %-14s %s\n' "$1" "$2"
    printf '        %-14s -> %s\n' '' "$3"
    findings=$((findings + 1))
}

preflight() {
    say "preflight for release $release ($platform) in $install"
    check_versions
    check_architecture
    check_docker_space
    check_install_space
    check_port
    check_gpu
    check_selinux
    check_release
    check_names_free
    check_base
    check_compression
    ((findings == 0)) || fail "$findings of the findings above must be dealt with; nothing was changed"
}

check_versions() {
    local found
    if found="$(docker version --format '{{.Server.Version}}' 2>&1)"; then
        if version_at_least "${found%%[-+]*}" 20.10; then ok docker "$found"; else
            wrong docker "$found" 'Docker 20.10 or newer is needed; docker/install-docker-offline.sh of a bundle can bring it'
        fi
    else
        fail "the Docker engine does not answer: ${found##*$'\n'}
Start it (systemctl start docker), or install it with docker/install-docker-offline.sh; may this user use it? \
(usermod -aG docker $(id -un))"
    fi
    if found="$(docker compose version --short 2>/dev/null)"; then
        found="${found#v}"
        if version_at_least "${found%%[-+]*}" 2.20; then ok compose "$found"; else
            wrong compose "$found" 'Compose 2.20 or newer is needed'
        fi
    else
        wrong compose 'not found' 'install the compose plugin; docker/install-docker-offline.sh of a bundle can bring it'
    fi
    found="$(openssl version)"
    found="${found#* }"
    found="${found%% *}"
    if version_at_least "${found%%[-a-z]*}" 1.0.2; then ok openssl "$found"; else
        wrong openssl "$found" 'OpenSSL 1.0.2 or newer is needed to check the signature'
    fi
}

check_architecture() {
    local found wanted
    found="$(docker version --format '{{.Server.Os}}/{{.Server.Arch}}')"
    wanted="$platform"
    if [[ "$found" == "$wanted" ]]; then ok architecture "$found"; else
        wrong architecture "$found" "this bundle is for $wanted; export one with --platform $found"
    fi
}

# Loading unpacks each tar beside the layers it becomes, so the store needs twice the space.
check_docker_space() {
    local place service needed=0 largest=0 free
    place="$(docker info --format '{{.DockerRootDir}}')"
    for service in "${services[@]}"; do
        has_image "$service" && continue
        needed=$((needed + ${image_bytes[$service]}))
        ((${image_bytes[$service]} <= largest)) || largest="${image_bytes[$service]}"
    done
    needed=$((needed + largest))
    if [[ ! -d "$place" ]]; then
        attention 'docker space' "$place cannot be seen from here" "make sure that it has $(human $needed) free"
        return 0
    fi
    free="$(free_bytes "$place")"
    if ((free >= needed)); then ok 'docker space' "$(human "$free") free in $place, $(human $needed) needed"; else
        wrong 'docker space' "$(human "$free") free in $place, $(human $needed) needed" 'make room there: docker image ls, df -h'
    fi
}

check_install_space() {
    local needed free
    needed=$(($(bytes_below "$bundle/stack") * 3 + 16777216))
    if [[ -d "$bundle/models" ]]; then needed=$((needed + $(bytes_below "$bundle/models"))); fi
    if [[ -n "$base_release" ]]; then needed=$((needed + $(largest_image) * 3)); fi
    free="$(free_bytes "$install")"
    if ((free >= needed)); then ok 'install space' "$(human "$free") free in $install, $(human $needed) needed"; else
        wrong 'install space' "$(human "$free") free in $install, $(human $needed) needed" \
            'make room, or name another place with INSTALL_DIR'
    fi
}

largest_image() {
    local service largest=0
    for service in "${services[@]}"; do
        ((${image_bytes[$service]} <= largest)) || largest="${image_bytes[$service]}"
    done
    printf '%s' "$largest"
}

check_port() {
    local port
    port="${answers[HTTP_PORT]:-$(setting HTTP_PORT)}"
    port="${port:-$(setting PORT)}"
    port="${port:-80}"
    if [[ ! "$port" =~ ^[1-9][0-9]{0,4}$ ]]; then
        wrong port "$port" 'HTTP_PORT must be a number'
    elif ! timeout 2 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" 2>/dev/null; then
        ok port "$port is free"
    elif [[ -f "$install/.env" && -n "$(compose ps --quiet gateway 2>/dev/null)" ]]; then
        ok port "$port is held by the stack in $install"
    else
        wrong port "$port is in use by another program" 'choose another: HTTP_PORT=8080 in front of this command, or in .env'
    fi
}

check_gpu() {
    if [[ "$(docker info --format '{{json .Runtimes}}')" == *'"nvidia"'* ]]; then
        ok gpu 'the engine has the nvidia runtime'
    elif compgen -G '/dev/nvidia[0-9]*' >/dev/null; then
        attention gpu 'there is a GPU, but the engine has no nvidia runtime' 'install the NVIDIA container toolkit to use it'
    else
        ok gpu 'none; models run on the processor'
    fi
}

check_selinux() {
    if [[ -r /sys/fs/selinux/enforce && "$(cat /sys/fs/selinux/enforce)" == 1 ]]; then
        attention selinux enforcing "the folders are labelled for containers; where that fails: chcon -Rt container_file_t $(data_folder) $(models_place)"
    else
        ok selinux 'not enforcing'
    fi
}

check_release() {
    local current
    current="$(remembered release)"
    if [[ -z "$current" ]]; then
        ok release "$release; none is installed here"
    elif [[ "$current" == "$release" ]]; then
        ok release "$release is installed; it is repaired where needed"
    elif version_at_least "$release" "$current"; then
        ok release "$release upgrades $current"
    else
        attention release "$release is older than the installed $current" 'to go back to the release before an upgrade use rollback.sh'
    fi
}

# A tag is never moved: it names the images of a release that may have to come back.
check_names_free() {
    local service clash=''
    for service in "${services[@]}"; do
        if [[ -n "$(layers_of "${image_name[$service]}")" ]] && ! has_image "$service"; then
            clash+=" ${image_name[$service]}"
        fi
    done
    if [[ -z "$clash" ]]; then ok 'image names' 'free, or of this release'; else
        wrong 'image names' "other images have these names:$clash" \
            "one release is one content: export with a new VERSION, or remove those images (docker image rm$clash)"
    fi
}

check_base() {
    local lacking
    [[ -n "$base_release" ]] || return 0
    lacking="$(lacking_layers)"
    if [[ -z "$lacking" ]]; then ok base "release $base_release is here"; else
        wrong base "$(wc -l <<<"$lacking") layers of release $base_release are not here" \
            "this is a delta: import the whole bundle of $base_release first, or name its folder with --base"
    fi
}

check_compression() {
    local server
    [[ "${image_file[${services[0]}]}" == *.zst ]] || return 0
    server="$(docker version --format '{{.Server.Version}}')"
    if version_at_least "${server%%[-+]*}" 23.0; then ok compression 'the engine reads zstd'; else
        wrong compression "Docker $server does not read zstd" 'export again without --compress, or update Docker'
    fi
}
