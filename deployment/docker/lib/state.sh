# shellcheck shell=bash
# What an install folder remembers in .atoll/. Sourced; needs bash and coreutils.
#
#   release            the release that was committed last
#   releases/RELEASE/  stack files of a release; beside it RELEASE.info (its images-info.txt),
#                      RELEASE.previous (what it upgraded) and RELEASE.backup (made before that)
#   pending/           an upgrade between its switch and its commit: release, back/ with links to the
#                      files it replaced, added (names it added), backup (path of the archive),
#                      migrating (the schema may have changed), going-back (it is a rollback)
#   journal            one line for each step begun or done
#   public-key.pub     the key of the last signed bundle that was committed

state='' install=''

use_install_folder() {
    install="$(realpath --canonicalize-missing -- "$1")"
    state="$install/.atoll"
    export INSTALL_DIR="$install"
    mkdir -p -- "$state/releases" || fail "$install cannot be written; name another place with INSTALL_DIR"
}

remembered() { cat -- "$state/$1" 2>/dev/null || true; }

remember() { printf '%s\n' "$2" | replace_file "$state/$1"; }

# A way back must not fail on a full disk, so a journal that cannot be written is only reported.
journal() {
    printf '%s\t%s\t%s\n' "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" "$1" "$2" >>"$state/journal" \
        || warn "the journal $state/journal cannot be written"
}

# step NAME COMMAND...: journaled, so that the journal of a killed import says where it was.
step() {
    journal "$1" begun
    "${@:2}"
    journal "$1" 'done'
}
