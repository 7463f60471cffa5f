# shellcheck shell=bash
# Export: images into tars, whole or as a delta, in volumes that fit. Sourced.

# save_image SERVICE: write its tar (or what the base lacks of it) and its lines of images-info.txt.
save_image() {
    local service="$1" image file sha id arch bytes layer
    image="$(image_of "$service")"
    file="$(archive_name "$service")"
    id="$(docker image inspect --format '{{.Id}}' "$image")"
    arch="$(docker image inspect --format '{{.Architecture}}' "$image")"
    bytes="$(docker image inspect --format '{{.Size}}' "$image")"
    if [[ -n "$since" ]]; then
        file="${file%.tar}.delta.tar"
        save_delta "$service" "$image" "$file"
    fi
    if [[ -n "$compress" ]]; then file+=.zst; fi
    if [[ -z "$since" ]]; then stream "$file" "$bytes" docker save "$image"; fi
    sha="$(joined "$partial/$file" | sha256sum | cut -d ' ' -f 1)"
    printf 'image\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' \
        "$service" "$file" "$image" "$id" "$arch" "$bytes" "$sha" >>"$partial/$INFO"
    for layer in $(layers_of "$image"); do
        printf 'layer\t%s\t%s\n' "$service" "$layer" >>"$partial/$INFO"
    done
}

# stream FILE EXPECTED COMMAND...: its output into FILE or volumes of it, with progress.
stream() {
    local file="$partial/$1" expected="$2" pid status=0 began=$SECONDS last=$SECONDS written
    shift 2
    say "writing ${file##*/}, about $(human "$expected")"
    # A process group of its own: whoever stops this script stops all of it.
    set -m
    ("$@" | squeeze | split --bytes="$volume" --numeric-suffixes --suffix-length=2 - "$file.part") &
    pid=$!
    set +m
    saving="$pid"
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        ((SECONDS - last >= 5)) || continue
        last=$SECONDS
        written="$(bytes_below "$file".part*)"
        say "  $(human "$written"), $(remaining "$written" "$expected" "$((SECONDS - began))")"
    done
    wait "$pid" || status=$?
    saving=''
    ((status == 0)) || fail "${file##*/} could not be written; the lines above say why"
    # One volume is simply the file.
    [[ -e "$file.part01" ]] || mv -- "$file.part00" "$file"
}

squeeze() {
    if [[ -n "$compress" ]]; then zstd --threads=0 --quiet; else cat; fi
}

remaining() {
    if (($1 == 0)); then
        printf 'the engine is collecting layers'
    elif (($1 >= $2)); then
        printf 'nearly done'
    else
        printf 'about %d s left' "$((($2 - $1) * $3 / $1 + 1))"
    fi
}

joined() {
    local volumes
    mapfile -t volumes < <(volumes_of "$1")
    cat -- "${volumes[@]}"
}

# save_delta SERVICE IMAGE FILE: the tar of IMAGE without the layers that the base has.
save_delta() {
    local service="$1" image="$2" file="$3" work="$partial/.delta" hash member
    mkdir -p "$work"
    say "reading $image to find what $base_release lacks"
    docker save "$image" | tar -C "$work" -xf -
    while IFS=' ' read -r hash member; do
        [[ " $base_layers " == *" sha256:$hash "* ]] || continue
        printf 'borrowed\t%s\t%s\t%s\n' "$service" "$member" "$hash" >>"$partial/$INFO"
        rm -- "$work/$member"
    done < <(cd "$work" && find . -type f -printf '%P\0' | sort -z | xargs -0 sha256sum --)
    stream "$file" "$(bytes_below "$work")" tar -C "$work" -cf - .
    rm -rf -- "$work"
}

# read_base: what the bundle given with --since holds; it must be a whole one.
read_base() {
    local service
    [[ -f "$since/$INFO" ]] || fail "$since is no bundle: it has no $INFO"
    read_info "$since/$INFO"
    [[ -z "$base_release" ]] || fail "$since is itself a delta; name a whole bundle with --since"
    base_release="$release"
    for service in "${services[@]}"; do base_layers+=" ${image_layers[$service]}"; done
    say "only what release $base_release lacks is exported; targets must have that release"
}
