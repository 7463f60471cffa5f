# shellcheck shell=bash
# Export: everything in a bundle that is not an image. Sourced.

# What an install folder on a target consists of.
readonly STACK_FILES=(
    docker-compose.yml .env.example VERSION LICENSE README.md README.zh-CN.md start.sh apply-config.sh
    deployment-config.example.json deployment-config.schema.json deployment/docker nginx docs models/catalog.toml models/README.md
)
readonly KIT_SCRIPTS=(import-docker-images.sh verify-bundle.sh lib)

copy_stack() {
    local path paths=()
    for path in "${STACK_FILES[@]}"; do
        if [[ -e "$root/$path" ]]; then paths+=("$path"); fi
    done
    mkdir -p "$partial/stack"
    tar -C "$root" --exclude='offline-packages*' --exclude='deployment/docker/wheels' --exclude='deployment/docker/.env' \
        --exclude='nginx/site.conf' --exclude=tests \
        --exclude=__pycache__ --exclude='*.pyc' -cf - "${paths[@]}" | tar -C "$partial/stack" -xf -
    printf '%s\n' "$wanted_release" >"$partial/stack/VERSION"
    [[ ! -f "$root/.env.example" ]] || cp -- "$root/.env.example" "$partial/env.example"
}

copy_scripts() {
    local path
    for path in "${KIT_SCRIPTS[@]}"; do
        [[ ! -e "$here/$path" ]] || cp -R -- "$here/$path" "$partial/$path"
    done
}

# models_folder: where the weights named by --with-models lie.
models_folder() {
    case "$with_models" in
        starter | production) printf '%s' "${MODELS_DIR:-$root/models}" ;;
        *) printf '%s' "$with_models" ;;
    esac
}

check_models() {
    local folder
    folder="$(models_folder)"
    [[ -d "$folder" ]] || fail "there is no folder $folder to take models from"
    [[ -n "$(find -L "$folder" -mindepth 2 -type f -not -path "$folder/starters/*" -print -quit)" ]] \
        || fail "$folder holds no weights; fetch them first: make models-starter, or make models"
    if [[ "$with_models" == production && -x "$root/.venv/bin/atoll-stack" ]]; then
        "$root/.venv/bin/atoll-stack" cli inference models verify \
            || fail "the fetched checkpoints do not verify; run make models again"
    fi
}

# copy_models: every checkpoint folder, not what starters are made from; large files in volumes, with
# the hash of the whole.
copy_models() {
    local folder path bytes
    folder="$(models_folder)"
    say "copying models from $folder, $(human "$(bytes_below "$folder")")"
    while IFS= read -r -d '' path; do
        mkdir -p "$partial/models/$(dirname "$path")"
        bytes="$(stat -L -c %s -- "$folder/$path")"
        if ((bytes <= volume)); then
            cp -L -- "$folder/$path" "$partial/models/$path"
        else
            split --bytes="$volume" --numeric-suffixes --suffix-length=2 -- \
                "$folder/$path" "$partial/models/$path.part"
            sha256sum <"$folder/$path" | cut -d ' ' -f 1 >"$partial/models/$path.joined-sha256"
        fi
    done < <(cd "$folder" && find -L . -mindepth 2 -type f -not -path '*/.*' -not -path './starters/*' -printf '%P\0')
}

# copy_docker: the engine and compose that the operator downloaded, with their installer.
copy_docker() {
    local path
    mkdir -p "$partial/docker"
    for path in "$with_docker"/docker-*.tgz "$with_docker"/docker-compose-linux-*; do
        if [[ -f "$path" ]]; then cp -L -- "$path" "$partial/docker/"; fi
    done
    compgen -G "$partial/docker/docker-[0-9]*.tgz" >/dev/null \
        || fail "$with_docker holds no docker-VERSION.tgz; docs/bundles.md says where to get it"
    compgen -G "$partial/docker/docker-compose-linux-*" >/dev/null \
        || fail "$with_docker holds no docker-compose-linux-ARCH; docs/bundles.md says where to get it"
    cp -- "$here/install-docker-offline.sh" "$partial/docker/"
}

# check_builder: only some builders can write a cache folder.
check_builder() {
    local driver
    driver="$(docker buildx inspect 2>/dev/null | sed -n 's/^Driver: *//p' | head -n 1)"
    [[ "$driver" != docker && -n "$driver" ]] || fail "the builder in use (driver '${driver:-none}') cannot write a \
cache folder. Make one that can: docker buildx create --name atoll-cache --driver docker-container --use"
}

# export_cache: the build cache, for rebuilding on a target.
export_cache() {
    local service
    for service in "${wanted_services[@]}"; do
        (cd "$root" && docker buildx bake -f docker-compose.yml -f docker-compose.override.yml \
            --set "*.cache-to=type=local,dest=$partial/cache/$service,mode=max" "$service")
    done
}

# refuse_secrets: nothing that is secret, or personal, or a log may travel.
refuse_secrets() {
    local found
    found="$(cd "$partial" && find . \( -name .env -o -name '.env.*' -not -name .env.example \
        -o -name '*.env' -o -name '*.key' -o -name '*.pem' -o -name '*.p12' -o -name '*.pfx' -o -name 'id_rsa*' \
        -o -name 'id_ed25519*' -o -name '*.db' -o -name '*.db-wal' -o -name '*.db-shm' -o -name '*.sqlite*' \
        -o -name '*.log' -o -name secrets -o -name restored-config -o -name first-admin-password -o -name .git \) -print)"
    [[ -z "$found" ]] || fail "this may not travel in a bundle; take it away and export again:
$found"
    found="$(cd "$partial" && find . -type f -size -1024k -not -path './cache/*' \
        -exec grep -lE -- '^-----BEGIN ([A-Z]+ )*PRIVATE KEY-----' {} + || true)"
    [[ -z "$found" ]] || fail "these files hold a private key; take it away and export again:
$found"
    found="$(cd "$partial" && find . -not -type f -not -type d -print)"
    [[ -z "$found" ]] || fail "links and special files do not travel; replace them by plain files:
$found"
    found="$(cd "$partial" && find . -name '*[[:cntrl:]\\]*' -print)"
    [[ -z "$found" ]] || fail "names with control characters or backslashes do not travel:
$found"
    local service
    for service in "${wanted_services[@]}"; do
        docker image inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$(image_of "$service")" \
            | grep -E '^[A-Z_]*(SECRET|TOKEN|PASSWORD|API_KEY)[A-Z_]*=.+' >&2 \
            && fail "the image of $service has the secret above in its environment"
    done
    return 0
}
