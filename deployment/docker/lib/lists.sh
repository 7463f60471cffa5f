# shellcheck shell=bash
# Export: what a bundle says about itself. Sourced.

# write_sbom SERVICE: packages of its image in SPDX; by syft, or by the package lists of the image.
write_sbom() {
    local image out="$partial/sbom/$1.spdx.json" syft
    image="$(image_of "$1")"
    mkdir -p "$partial/sbom"
    if syft="$(find_syft)"; then
        say "listing the packages of $image with syft"
        SYFT_CHECK_FOR_APP_UPDATE=false SYFT_FILE_METADATA_SELECTION=none "$syft" scan --quiet --output "spdx-json=$out" "docker:$image"
    else
        say "listing the packages of $image from its own package lists (syft is not installed)"
        package_lists "$image" >"$out"
    fi
    [[ -s "$out" ]] || fail "the package list of $image is empty"
}

find_syft() {
    if [[ -x "$root/.venv/bin/syft" ]]; then printf '%s' "$root/.venv/bin/syft"; else command -v syft; fi
}

# package_lists IMAGE: SPDX 2.3 from dpkg and from Python's package folders.
package_lists() {
    local image="$1" id kind name version packages=''
    id="$(docker image inspect --format '{{.Id}}' "$image")"
    # shellcheck disable=SC2016 # expanded inside the container
    local list='dpkg-query -W -f "deb \${Package} \${Version}\n" 2>/dev/null
        for f in $(ls -d /usr/lib/python3*/dist-packages/*-info /usr/local/lib/python3*/*-packages/*-info \
            /opt/*/lib/python3*/site-packages/*-info 2>/dev/null); do
            n=; v=
            while IFS= read -r l; do
                case "$l" in Name:*) n="${l#Name: }" ;; Version:*) v="${l#Version: }" ;; "") break ;; esac
            done <"$f/METADATA"
            [ -z "$n" ] || echo "pypi $n $v"
        done 2>/dev/null; true'
    while read -r kind name version; do
        # Only names that need no escaping in JSON; others are no package names.
        [[ "$name$version" =~ ^[A-Za-z0-9.+~:_-]+$ ]] || continue
        packages+="${packages:+,
    }{\"SPDXID\": \"SPDXRef-$kind-${name//[^A-Za-z0-9.-]/-}\", \"name\": \"$name\", \"versionInfo\": \"$version\", \
\"downloadLocation\": \"NOASSERTION\", \"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\", \
\"referenceType\": \"purl\", \"referenceLocator\": \"pkg:$kind/${kind/#deb/debian/}$name@$version\"}]}"
        packages="${packages//pkg:pypi\/pypi/pkg:pypi\/}"
    done < <(docker run --rm --network none --entrypoint sh "$image" -c "$list" | sort -u)
    cat <<JSON
{"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "$image",
  "documentNamespace": "https://atoll.invalid/sbom/${id#sha256:}",
  "creationInfo": {"created": "$created", "creators": ["Tool: atoll-export-docker-images-$wanted_release"]},
  "packages": [
    $packages
  ]}
JSON
}

# write_manifest: the same facts as images-info.txt for programs that read JSON. Every value is of
# plain characters by construction, so that printf may write it.
write_manifest() {
    local service comma='' layers
    read_info "$partial/$INFO"
    {
        printf '{"format": 1, "release": "%s", "platform": "%s", "created": "%s", "base": %s,\n "images": [' \
            "$release" "$platform" "$created" "$([[ -n "$since" ]] && printf '"%s"' "$base_release" || printf null)"
        for service in "${services[@]}"; do
            layers="${image_layers[$service]// /\", \"}"
            printf '%s\n  {"service": "%s", "file": "%s", "image": "%s", "id": "%s", "architecture": "%s", ' \
                "$comma" "$service" "${image_file[$service]}" "${image_name[$service]}" \
                "${image_id[$service]}" "${image_arch[$service]}"
            printf '"bytes": %s, "sha256": "%s", "layers": ["%s"]}' \
                "${image_bytes[$service]}" "${image_sha[$service]}" "$layers"
            comma=,
        done
        printf '\n ]}\n'
    } >"$partial/manifest.json"
}

# write_checksums: sizes of all files, then hashes over them and the sizes.
write_checksums() {
    say "hashing $(human "$(bytes_below "$partial")")"
    (
        cd "$partial"
        find . -type d -empty -delete
        find . -type f -not -path ./sizes.tsv -not -path './checksums.sha256*' -printf '%P\0' | sort -z \
            | xargs -0 stat --printf '%s\t%n\n' -- >sizes.tsv
        find . -type f -not -path './checksums.sha256*' -printf '%P\0' | sort -z \
            | xargs -0 sha256sum -- >checksums.sha256
    )
}

sign_checksums() {
    openssl dgst -sha256 -sign "$sign" -out "$partial/checksums.sha256.sig" "$partial/checksums.sha256"
    openssl pkey -in "$sign" -pubout -out "$work/public-key.pub"
}

# write_trust_kit: the verifier and the public key, to travel apart from the bundle.
write_trust_kit() {
    local kit="$output.trust-kit"
    rm -rf -- "$kit"
    mkdir -p "$kit"
    cp -- "$here/verify-bundle.sh" "$kit/"
    cp -- "$work/public-key.pub" "$kit/atoll-release-key.pub"
    say "trust kit: $kit ($(human "$(bytes_below "$kit")")); carry it apart from the bundle"
}

write_readme() {
    local verify='--public-key KEY.pub'
    if [[ -z "$sign" ]]; then verify=--allow-unsigned; fi
    cat >"$partial/README.txt" <<TEXT
Atoll $wanted_release, $wanted_platform${since:+, delta on release $base_release}

Verify with a verifier and a key that did not travel with this folder (the trust kit):
    bash verify-bundle.sh $verify offline-packages
Import, start, and check with a real question:
    bash offline-packages/import-docker-images.sh $verify --start
The stack is installed into the folder that holds offline-packages/ (another: INSTALL_DIR=/srv/atoll).
Needed: bash, coreutils, tar, openssl 1.0.2, Docker 20.10, Compose 2.20. No network is used.
No Docker yet? offline-packages/docker/install-docker-offline.sh, if it is here.
The guide: stack/docs/bundles.md and stack/docs/offline-deployment.md

----------------------------------------------------------------------------------------------

Atoll $wanted_release，$wanted_platform${since:+，基于版本 $base_release 的增量包}

先用另行携带的校验脚本和公钥（信任包）校验本目录：
    bash verify-bundle.sh $verify offline-packages
导入镜像、启动服务，并用一个真实问题检查：
    bash offline-packages/import-docker-images.sh $verify --start
安装位置是 offline-packages/ 所在的目录（改用其他目录：INSTALL_DIR=/srv/atoll）。
需要：bash、coreutils、tar、openssl 1.0.2、Docker 20.10、Compose 2.20。全程不访问网络。
还没有 Docker？如果包里有 offline-packages/docker/，请运行其中的 install-docker-offline.sh。
详细说明：stack/docs/bundles.md 与 stack/docs/offline-deployment.zh-CN.md
TEXT
}
