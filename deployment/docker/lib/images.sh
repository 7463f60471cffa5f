# shellcheck shell=bash
# Import: images of a verified bundle into the engine. Sourced; bash, coreutils, tar, docker.

# has_image SERVICE: the engine has exactly this image under its name.
has_image() { [[ "$(layers_of "${image_name[$1]}")" == "${image_layers[$1]}" ]]; }

load_images() {
    local service number=0
    for service in "${services[@]}"; do
        number=$((number + 1))
        if has_image "$service"; then
            say "${image_name[$service]} is here already"
            continue
        fi
        say "loading ${image_file[$service]}, $(human "${image_bytes[$service]}") ($number of ${#services[@]})"
        step "load-$service" load_image "$service"
    done
}

load_image() {
    local service="$1" volumes found
    if [[ -n "$base_release" ]]; then
        whole_tar "$service" | docker load --quiet >/dev/null || load_failed "$service"
    else
        mapfile -t volumes < <(volumes_of "$bundle/${image_file[$service]}")
        cat -- "${volumes[@]}" | docker load --quiet >/dev/null || load_failed "$service"
    fi
    has_image "$service" || fail "${image_name[$service]} has other layers than this bundle lists; nothing was started"
    found="$(docker image inspect --format '{{.Architecture}}' "${image_name[$service]}")"
    [[ "$found" == "${image_arch[$service]}" ]] \
        || fail "${image_name[$service]} is for $found and not for ${image_arch[$service]}; nothing was started"
}

load_failed() {
    fail "${image_file[$1]} could not be loaded; the lines above say why. If the disk is full: \
df -h $(docker info --format '{{.DockerRootDir}}'), make room, and run the import again"
}

# --- delta -----------------------------------------------------------------------------------

# base_source HASH: where a layer of the base can be had: "bundle FILE" or "image NAME".
base_source() {
    local line file='' kind a b
    if [[ -n "$base_bundle" ]]; then
        while IFS= read -r line; do
            IFS=$'\t' read -r kind a b _ <<<"$line"
            if [[ "$kind" == image ]]; then file="$b"; fi
            if [[ "$kind" == layer && "$b" == "sha256:$1" ]]; then
                printf 'bundle %s' "$file"
                return 0
            fi
        done <"$base_bundle/$INFO"
    fi
    for a in "${ALL_SERVICES[@]}"; do
        if [[ " $(layers_of "atoll/$a:$base_release") " == *" sha256:$1 "* ]]; then
            printf 'image atoll/%s:%s' "$a" "$base_release"
            return 0
        fi
    done
    return 1
}

# lacking_layers: borrowed layers that no source has.
lacking_layers() {
    local line hash
    for line in "${borrowed[@]}"; do
        hash="${line##*$'\t'}"
        base_source "$hash" >/dev/null || printf '%s\n' "$hash"
    done | sort -u
}

# fetch_layers SERVICE: what its tar borrows, by content, into $scratch/layers.
fetch_layers() {
    local line source volumes
    mkdir -p "$scratch/layers"
    for line in "${borrowed[@]}"; do
        [[ "$line" == "$1"$'\t'* && ! -f "$scratch/layers/${line##*$'\t'}" ]] || continue
        source="$(base_source "${line##*$'\t'}")"
        rm -rf -- "$scratch/source"
        mkdir -p "$scratch/source"
        if [[ "$source" == bundle* ]]; then
            mapfile -t volumes < <(volumes_of "$base_bundle/${source#bundle }")
            cat -- "${volumes[@]}" | tar -C "$scratch/source" -xf -
        else
            docker save "${source#image }" | tar -C "$scratch/source" -xf -
        fi
        keep_wanted
    done
    rm -rf -- "${scratch:?}/source"
}

# keep_wanted: files of the extracted tar whose content a borrowed member needs.
keep_wanted() {
    local hash path wanted paths
    wanted=" ${borrowed[*]//$'\t'/ } "
    mapfile -t paths < <(files_below "$scratch/source")
    while IFS=' ' read -r hash path; do
        if [[ "$wanted" == *" $hash "* ]]; then mv -f -- "$scratch/source/$path" "$scratch/layers/$hash"; fi
    done < <(cd "$scratch/source" && sha256sum -- "${paths[@]}")
}

# whole_tar SERVICE: the complete tar, from the delta and the layers it borrows, each checked.
whole_tar() {
    local service="$1" line member hash volumes place="$scratch/whole"
    fetch_layers "$service" >&2
    rm -rf -- "$place"
    mkdir -p "$place"
    mapfile -t volumes < <(volumes_of "$bundle/${image_file[$service]}")
    cat -- "${volumes[@]}" | tar -C "$place" -xf -
    for line in "${borrowed[@]}"; do
        IFS=$'\t' read -r hash member _ <<<"$line"
        [[ "$hash" == "$service" ]] || continue
        hash="${line##*$'\t'}"
        [[ -f "$scratch/layers/$hash" && "$(sha256sum <"$scratch/layers/$hash")" == "$hash  -" ]] \
            || fail "the layer $hash of release $base_release could not be had; give its bundle with --base"
        mkdir -p -- "$(dirname -- "$place/$member")"
        ln -- "$scratch/layers/$hash" "$place/$member"
    done
    tar -C "$place" --hard-dereference -cf - .
    rm -rf -- "$place"
}
