#!/usr/bin/env bash
# Write requirements.lock: every version in constraints.txt with the hashes of its files. Run it after
# constraints.txt changed; a test compares the two.
#
# PyTorch is not in it: its files differ between processors and GPUs and between indexes. It is
# pinned in requirements-torch.txt, and hashed when a wheelhouse is collected.
set -euo pipefail

readonly UV="uv==0.13.9"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

"$root/.venv/bin/python" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "$UV"
{
    grep --invert-match --extended-regexp '^(#|torch(vision|audio)?==)' "$root/constraints.txt"
    # What builds the four packages themselves.
    sed -n 's/^readonly SETUPTOOLS="\(.*\)".*/\1/p' "$here/bootstrap.sh"
} >"$work/pinned.txt"
"$work/venv/bin/uv" pip compile --quiet --no-deps --generate-hashes --no-annotate --no-header \
    --python-version 3.11 --output-file "$work/lock" "$work/pinned.txt"
{
    printf '# Made by deployment/local/lock.sh from constraints.txt. Do not edit.\n'
    cat "$work/lock"
} >"$work/requirements.lock"
mv "$work/requirements.lock" "$here/requirements.lock"
printf 'requirements.lock: %s packages\n' "$(grep -c == "$here/requirements.lock")"
