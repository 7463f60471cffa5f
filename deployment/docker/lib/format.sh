# shellcheck shell=bash
# The bundle's format: names, and how images-info.txt is read. Sourced; needs bash and coreutils.
#
# images-info.txt holds lines of fields separated by tabs:
#   release   RELEASE
#   platform  OS/ARCHITECTURE
#   base      RELEASE                   only in a delta bundle: the release it builds on
#   image     SERVICE FILE IMAGE:TAG IMAGE_ID ARCHITECTURE BYTES SHA256
#   layer     SERVICE SHA256:DIGEST     layers of the image, lowest first
#   borrowed  SERVICE MEMBER SHA256     only in a delta bundle: a member of the tar to take from the base

readonly ALL_SERVICES=(gateway frontend chat-backend inference)
readonly INFO=images-info.txt
# A FAT file system holds files of less than 4 GiB.
readonly LARGEST_VOLUME=4000000000

release='' platform='' base_release=''
services=() borrowed=()
declare -A image_file=() image_name=() image_id=() image_arch=() image_bytes=() image_sha=() image_layers=()

# archive_name SERVICE: the tar of its image, under the name that operators know.
archive_name() {
    case "$1" in
        gateway) printf 'nginx-image.tar' ;;
        frontend) printf 'frontend-image.tar' ;;
        chat-backend) printf 'backend-image.tar' ;;
        *) printf '%s-image.tar' "$1" ;;
    esac
}

is_release() { [[ "$1" =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$ ]]; }

# read_info FILE: fill the variables above; any line of another form is an error.
read_info() {
    local kind a b c d e f g line number=0
    release='' platform='' base_release='' services=() borrowed=()
    image_file=() image_name=() image_id=() image_arch=() image_bytes=() image_sha=() image_layers=()
    while IFS= read -r line; do
        number=$((number + 1))
        [[ -n "$line" && "$line" != '#'* ]] || continue
        IFS=$'\t' read -r kind a b c d e f g <<<"$line"
        case "$kind" in
            release) release="$a" ;;
            platform) platform="$a" ;;
            base) base_release="$a" ;;
            image)
                [[ "$a" =~ ^[a-z][a-z-]*$ && "$b" =~ ^[a-z][a-z.-]*$ && "$f" =~ ^[0-9]{1,15}$ \
                    && "$g" =~ ^[0-9a-f]{64}$ ]] || fail "$1, line $number: not an image line"
                services+=("$a")
                image_file[$a]="$b" image_name[$a]="$c" image_id[$a]="$d" image_arch[$a]="$e"
                image_bytes[$a]="$f" image_sha[$a]="$g"
                ;;
            layer) image_layers[$a]+="${image_layers[$a]:+ }$b" ;;
            borrowed) borrowed+=("$a"$'\t'"$b"$'\t'"$c") ;;
            *) fail "$1, line $number: unknown entry '$kind'; use the scripts of this bundle" ;;
        esac
    done <"$1"
    is_release "$release" || fail "$1 names no release"
    ((${#services[@]} > 0)) || fail "$1 names no image"
}

# layers_of IMAGE: layer digests, lowest first, or nothing when the engine does not have it.
layers_of() {
    docker image inspect --format '{{join .RootFS.Layers " "}}' "$1" 2>/dev/null || true
}

# volumes_of FILE: the file itself, or its parts in order.
volumes_of() {
    if [[ -f "$1" ]]; then
        printf '%s\n' "$1"
    else
        local part
        for part in "$1".part[0-9][0-9]; do printf '%s\n' "$part"; done
    fi
}
