#!/usr/bin/env bash
# Build the images and pack them with everything a machine without a network needs.
#
#   export-docker-images.sh [OPTIONS]
#
#   --sign KEY           sign the bundle with this private key (make signing-key makes one)
#   --with-models WHICH  add weights: starter or production (what models/ holds), or a folder
#   --with-docker DIR    add the Docker engine and compose that lie in DIR, with an installer
#   --with-cache         add the build cache
#   --since BUNDLE       a delta: only layers that this earlier whole bundle lacks
#   --services LIST      only these of gateway,frontend,chat-backend,inference
#   --platform PLATFORM  linux/amd64 (the default: this machine's) or linux/arm64
#   --split SIZE         largest file, such as 700M; never more than fits a FAT disk (4000000000)
#   --compress           compress the tars with zstd; targets need Docker 23 or zstd
#   --no-build           take the images that exist instead of building them
#   --output DIR         where to; by default offline-packages/ beside this script
#
# The release is the content of VERSION, or ATOLL_RELEASE. The folder appears under its name only
# when it is complete; until then it is called DIR.partial.

# shellcheck source-path=SCRIPTDIR
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
program=export-docker-images
# shellcheck source=lib/say.sh
source "$here/lib/say.sh"
# shellcheck source=lib/format.sh
source "$here/lib/format.sh"
# shellcheck source=lib/save.sh
source "$here/lib/save.sh"
# shellcheck source=lib/contents.sh
source "$here/lib/contents.sh"
# shellcheck source=lib/lists.sh
source "$here/lib/lists.sh"

sign='' with_models='' with_docker='' with_cache='' since='' wanted_platform='' compress='' build=yes
volume=$LARGEST_VOLUME output="$here/offline-packages" wanted_release='' base_layers='' saving=''
wanted_services=("${ALL_SERVICES[@]}")

image_of() { printf 'atoll/%s:%s' "$1" "$wanted_release"; }

parse() {
    local list=''
    while (($# > 0)); do
        case "$1" in
            --sign) sign="$(value_of "$1" $# "${2:-}")"; shift ;;
            --with-models) with_models="$(value_of "$1" $# "${2:-}")"; shift ;;
            --with-docker) with_docker="$(value_of "$1" $# "${2:-}")"; shift ;;
            --with-cache) with_cache=yes ;;
            --since) since="$(value_of "$1" $# "${2:-}")"; shift ;;
            --services) list="$(value_of "$1" $# "${2:-}")"; shift ;;
            --platform) wanted_platform="$(value_of "$1" $# "${2:-}")"; shift ;;
            --split) volume="$(value_of "$1" $# "${2:-}")"; shift ;;
            --compress) compress=yes ;;
            --no-build) build='' ;;
            --output) output="$(value_of "$1" $# "${2:-}")"; shift ;;
            -h | --help)
                print_header "$0"
                exit 0
                ;;
            *) usage "there is no option $1" ;;
        esac
        shift
    done
    [[ -z "$list" ]] || IFS=, read -r -a wanted_services <<<"$list"
}

# Everything that can be known to be wrong before minutes of work.
check_arguments() {
    local service
    wanted_release="${ATOLL_RELEASE:-$(cat "$root/VERSION" 2>/dev/null || true)}"
    is_release "$wanted_release" || fail "the release '$wanted_release' (VERSION, ATOLL_RELEASE) is no tag of an image"
    wanted_platform="${wanted_platform:-$(docker version --format '{{.Server.Os}}/{{.Server.Arch}}')}"
    [[ "$wanted_platform" =~ ^linux/(amd64|arm64)$ ]] || usage "--platform must be linux/amd64 or linux/arm64"
    volume="$(numfmt --from=auto "${volume^^}" 2>/dev/null)" || usage '--split must be a size, such as 700M or 3900000000'
    ((volume >= 65536 && volume <= LARGEST_VOLUME)) \
        || usage "--split must be from 64K to $LARGEST_VOLUME bytes: more does not fit a FAT disk"
    for service in "${wanted_services[@]}"; do
        [[ " ${ALL_SERVICES[*]} " == *" $service "* ]] || usage "there is no service $service"
    done
    if [[ -n "$sign" ]]; then
        [[ -r "$sign" ]] || fail "there is no key $sign; make signing-key makes one"
    else
        warn 'without --sign nobody can tell whether this bundle is yours; imports must say --allow-unsigned'
    fi
    [[ -z "$with_docker" || -d "$with_docker" ]] || fail "there is no folder $with_docker"
    [[ -z "$with_models" ]] || check_models
    [[ -z "$since" || -z "$compress" ]] || usage '--since and --compress exclude each other'
    [[ -z "$with_cache" ]] || check_builder
    [[ -z "$compress" ]] || command -v zstd >/dev/null || fail '--compress needs zstd: apt-get install zstd'
    output="$(realpath --canonicalize-missing -- "$output")"
    partial="$output.partial"
    created="$(date --utc +%Y-%m-%dT%H:%M:%SZ)"
}

build_images() {
    say "building release $wanted_release: ${wanted_services[*]}"
    (cd "$root" && ATOLL_RELEASE="$wanted_release" DOCKER_DEFAULT_PLATFORM="$wanted_platform" \
        docker compose build "${wanted_services[@]}")
}

# Every image is there and of the platform, and compose names none that would be missing.
check_images() {
    local service image found
    for service in "${wanted_services[@]}"; do
        image="$(image_of "$service")"
        found="$(docker image inspect --format '{{.Os}}/{{.Architecture}}' "$image" 2>/dev/null)" \
            || fail "there is no image $image; leave --no-build away to build it"
        (($(docker image inspect --format '{{.Size}}' "$image") / volume < 99)) \
            || fail "--split $volume would cut $image into more than 99 volumes; name a larger size"
        [[ "$found" == "$wanted_platform" ]] || fail "$image is for $found and not for $wanted_platform"
    done
    while IFS= read -r image; do
        for service in "${wanted_services[@]}"; do
            [[ "$image" != "$(image_of "$service")" ]] || continue 2
        done
        if [[ "$image" == atoll/*:"$wanted_release" ]]; then
            warn "$image is not in this bundle: targets must have it already"
        else
            fail "docker-compose.yml names $image, which no bundle would hold"
        fi
    done < <(cd "$root" && ATOLL_RELEASE="$wanted_release" docker compose -f docker-compose.yml config --images | sort -u)
}

check_space() {
    local service needed=0 free
    for service in "${wanted_services[@]}"; do
        needed=$((needed + $(docker image inspect --format '{{.Size}}' "$(image_of "$service")")))
    done
    [[ -z "$with_models" ]] || needed=$((needed + $(bytes_below "$(models_folder)")))
    [[ -z "$with_docker" ]] || needed=$((needed + $(bytes_below "$with_docker")))
    needed=$((needed + needed / 20 + 67108864))
    free="$(free_bytes "$output")"
    ((free >= needed)) || fail "$output needs $(human $needed) and has $(human "$free"); \
make room, or name another place with --output"
    say "$output: about $(human $needed) of $(human "$free") free"
}

# What an export that was killed left behind is finished or thrown away, never taken for a bundle.
clean_up_before() {
    if [[ -d "$output.replaced" ]]; then
        if [[ -e "$output" ]]; then rm -rf -- "$output.replaced"; else mv -- "$output.replaced" "$output"; fi
    fi
    rm -rf -- "$partial"
    mkdir -p -- "$partial"
}

publish() {
    local proof=(--allow-unsigned)
    [[ -z "$sign" ]] || proof=(--public-key "$work/public-key.pub")
    bash "$here/verify-bundle.sh" "${proof[@]}" "$partial" \
        >"$work/verify.log" 2>&1 || fail "the finished bundle does not verify: $(tail -n 3 "$work/verify.log")"
    sync -f "$partial"
    [[ ! -e "$output" ]] || mv -- "$output" "$output.replaced"
    mv -- "$partial" "$output"
    rm -rf -- "$output.replaced"
}

main() {
    parse "$@"
    check_arguments
    work="$(mktemp -d)"
    trap 'rm -rf -- "$work"' EXIT
    trap 'exit 130' INT TERM HUP
    [[ -z "$since" ]] || read_base
    [[ -z "$build" ]] || build_images
    check_images
    check_space
    exec 8>"$output.lock"
    flock --nonblock 8 || {
        say "another export writes $output, or a killed one left a command running; waiting for it"
        flock --timeout 900 8 || fail "another export still writes $output"
    }
    trap '[[ -z "$saving" ]] || kill -- "-$saving" 2>/dev/null || true; rm -rf -- "$work" "${partial:?}"' EXIT
    clean_up_before
    printf '# Images of this bundle; deployment/docker/lib/format.sh says what the fields are.\n' >"$partial/$INFO"
    printf 'release\t%s\nplatform\t%s\n' "$wanted_release" "$wanted_platform" >>"$partial/$INFO"
    [[ -z "$since" ]] || printf 'base\t%s\n' "$base_release" >>"$partial/$INFO"
    local service
    for service in "${wanted_services[@]}"; do
        save_image "$service"
        write_sbom "$service"
    done
    copy_stack
    copy_scripts
    [[ -z "$with_models" ]] || copy_models
    [[ -z "$with_docker" ]] || copy_docker
    [[ -z "$with_cache" ]] || export_cache
    write_manifest
    write_readme
    refuse_secrets
    write_checksums
    [[ -z "$sign" ]] || sign_checksums
    publish
    [[ -z "$sign" ]] || write_trust_kit
    say "bundle: $output, $(human "$(bytes_below "$output")") in ${SECONDS} s"
}

main "$@"
