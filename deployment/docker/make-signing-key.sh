#!/usr/bin/env bash
# Make the key pair that signs bundles: make-signing-key.sh [--passphrase] [FILE]
#
#   FILE          where the private key goes; by default ~/.atoll/release-key.pem
#   --passphrase  protect it with a passphrase, asked for here and at every export
#
# The public key goes beside it as FILE.pub. Keep FILE away from every target; give FILE.pub to whoever
# imports, by another way than the bundle.

# shellcheck source-path=SCRIPTDIR
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
program=make-signing-key
# shellcheck source=lib/say.sh
source "$here/lib/say.sh"

main() {
    local file="$HOME/.atoll/release-key.pem" encrypt=()
    while (($# > 0)); do
        case "$1" in
            --passphrase) encrypt=(-aes256) ;;
            -h | --help)
                print_header "$0"
                exit 0
                ;;
            -*) usage "there is no option $1" ;;
            *) file="$1" ;;
        esac
        shift
    done
    [[ ! -e "$file" ]] || fail "$file exists; a new key would not open what the old one signed. Name another file"
    umask 077
    mkdir -p -- "$(dirname -- "$file")"
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 "${encrypt[@]}" -out "$file.new"
    (umask 022 && openssl pkey -in "$file.new" -pubout -out "$file.pub")
    mv -- "$file.new" "$file"
    say "private key: $file (keep it here)"
    say "public key:  $file.pub (give it to whoever imports, not inside the bundle)"
    say "fingerprint: $(openssl pkey -pubin -in "$file.pub" -outform DER | sha256sum | cut -d ' ' -f 1)"
}

main "$@"
