# shellcheck shell=bash
# What a machine without a network takes from offline/, which `make wheelhouse` made on another one.
# Sourced by bootstrap.sh.

offline="${root:?}/offline"

is_offline() { [[ -d "$offline/packages" ]]; }

# check_wheelhouse: made for this machine, and every file as it was collected. Once for each.
check_wheelhouse() {
    local made here sums
    [[ -f "$offline/platform.txt" && -f "$offline/checksums.sha256" ]] \
        || fail "$offline is not whole: platform.txt or checksums.sha256 is missing. Copy it again."
    made="$(cat "$offline/platform.txt")"
    here="$(platform)"
    [[ "${made%% debian=*}" == "${here%% debian=*}" ]] \
        || fail "offline/ was made for: $made; this machine is: $here. Run make wheelhouse on one like it."
    sums="$(sha256sum <"$offline/checksums.sha256")"
    [[ "$(cat "$offline/.checked" 2>/dev/null)" == "$sums" ]] && return
    step "checking $(wc -l <"$offline/checksums.sha256") files in offline/" check_sums
    # Where nothing can be written it is checked each time.
    { printf '%s' "$sums" >"$offline/.checked"; } 2>/dev/null || true
}

check_sums() {
    (cd "$offline" && sha256sum --check --strict --quiet checksums.sha256) \
        || fail "offline/ is not as it was collected: the files named above. Copy it again."
}

# platform: what decides whether packages fit.
platform() {
    local codename=none
    if [[ -r /etc/os-release ]]; then
        # shellcheck source=/dev/null
        codename="$(source /etc/os-release && printf '%s' "${VERSION_CODENAME:-none}")"
    fi
    printf 'machine=%s python=3.11 debian=%s\n' "$(uname -m)" "$codename"
}

# apt_offline PACKAGE...: what is missing of them, from offline/debian alone.
apt_offline() {
    local work options status=0
    [[ "$(platform)" == "$(cat "$offline/platform.txt")" ]] \
        || fail "offline/ holds packages of another Debian release. Install by hand: $*"
    work="$(mktemp -d)"
    mkdir -p "$work/lists/partial" "$work/archives/partial"
    chmod -R 755 "$work"
    printf 'deb [trusted=yes] file:%s ./\n' "$offline/debian" >"$work/sources.list"
    options=(
        -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work" -o "Dir::Cache::Archives=$work/archives"
        # The account that apt takes for downloads may not see this folder; nothing is downloaded.
        -o APT::Sandbox::User=root
    )
    { apt-get "${options[@]}" update \
        && apt-get "${options[@]}" install -y --no-install-recommends "$@"; } || status=$?
    rm -rf "$work"
    return "$status"
}

# install_offline_packages: nothing but what was collected, by hash.
install_offline_packages() {
    local pip=("$venv/bin/python" -m pip install --disable-pip-version-check --no-input --no-index --no-deps)
    # What pip was told about other places does not count here.
    export PIP_CONFIG_FILE=/dev/null
    unset PIP_FIND_LINKS PIP_INDEX_URL PIP_EXTRA_INDEX_URL
    "${pip[@]}" --find-links "$offline/packages" --require-hashes \
        -r "$offline/requirements.txt" -r "$offline/requirements-torch.txt"
    "${pip[@]}" --no-build-isolation \
        -e "$root/kit" -e "$root/services/chat-backend" -e "$root/services/inference" \
        -e "$root/deployment/local"
}

# npm_ci_offline: from a copy of the cache, since npm writes into the one it reads.
npm_ci_offline() {
    local cache status=0
    cache="$(mktemp -d)"
    cp -a "$offline/npm/." "$cache/"
    npm ci --no-audit --offline --cache "$cache" || status=$?
    rm -rf "$cache"
    return "$status"
}

# copy_offline_models: starters for slots that hold nothing; what an operator put there stays.
copy_offline_models() {
    local models slot folder
    models="$("$venv/bin/python" -c 'import os, pathlib
from atoll_local.environment import read_environment
print(read_environment(pathlib.Path(os.sys.argv[1]), os.environ).models_dir)' "$root")"
    for folder in "$offline"/models/*/*/; do
        [[ -d "$folder" ]] || continue
        slot="$(basename "$(dirname "$folder")")"
        if [[ -z "$(find "$models/$slot" -type f -print -quit 2>/dev/null)" ]]; then
            mkdir -p "$models/$slot"
            # Under its name only when it is whole.
            rm -rf "$models/$slot/.partial"
            cp -a "$folder" "$models/$slot/.partial"
            mv "$models/$slot/.partial" "$models/$slot/$(basename "$folder")"
            say "$slot: $(basename "$folder") from offline/"
        fi
    done
}
