#!/usr/bin/env bash
# A certificate for the gateway, signed by an authority of your own:
#
#   make-certificate.sh [--days N] [--out DIR] NAME_OR_ADDRESS...
#
# Writes ca.pem, ca-key.pem (at the first time), certificate.pem and key.pem to DIR, by default
# ./certificates. Give ca.pem to the browsers and programs of your site once; run this again before
# the certificate ends (after 825 days unless --days says otherwise), then see compose.tls.yml.
set -euo pipefail

days=825
out=certificates
names=()

fail() {
    printf 'make-certificate: %s\n' "$*" >&2
    exit 2
}

# alternative NAME: one entry of subjectAltName.
alternative() {
    if [[ "$1" =~ ^[0-9.]+$ || "$1" == *:* ]]; then printf 'IP:%s' "$1"; else printf 'DNS:%s' "$1"; fi
}

# extensions FILE LINE...: a configuration that OpenSSL 1.0.2 understands, too.
extensions() {
    local file="$1"
    shift
    printf '%s\n' '[req]' 'distinguished_name = dn' '[dn]' '[v3]' "$@" >"$file"
}

while (($# > 0)); do
    case "$1" in
        --days)
            [[ "${2:-}" =~ ^[1-9][0-9]{0,3}$ ]] || fail '--days needs a number of days'
            days="$2"
            shift 2
            ;;
        --out)
            [[ -n "${2:-}" ]] || fail '--out needs a folder'
            out="$2"
            shift 2
            ;;
        --help | -h)
            sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        -*) fail "unknown option $1; --help lists them" ;;
        *)
            [[ "$1" =~ ^[A-Za-z0-9.:*-]+$ ]] || fail "$1 is no host name or IP address"
            names+=("$1")
            shift
            ;;
    esac
done
((${#names[@]} > 0)) || fail 'which names or addresses do clients use? such as: make-certificate.sh atoll.example.org 10.0.0.5'
command -v openssl >/dev/null || fail 'openssl is missing; install the package openssl'

umask 077
mkdir -p "$out"
work="$(mktemp -d "$out/.work.XXXXXX")"
trap 'rm -rf "$work"' EXIT

if [[ ! -f "$out/ca-key.pem" ]]; then
    openssl ecparam -name prime256v1 -genkey -noout -out "$work/ca-key.pem"
    extensions "$work/ca.cnf" 'basicConstraints = critical, CA:true, pathlen:0' \
        'keyUsage = critical, keyCertSign, cRLSign' 'subjectKeyIdentifier = hash'
    openssl req -new -x509 -sha256 -days 3650 -key "$work/ca-key.pem" -config "$work/ca.cnf" \
        -extensions v3 -subj "/CN=Atoll of ${names[0]}" -out "$work/ca.pem"
    mv "$work/ca.pem" "$work/ca-key.pem" "$out/"
fi

list="$(alternative "${names[0]}")"
for name in "${names[@]:1}"; do list+=", $(alternative "$name")"; done
openssl ecparam -name prime256v1 -genkey -noout -out "$work/key.pem"
extensions "$work/server.cnf" 'basicConstraints = critical, CA:false' \
    'keyUsage = critical, digitalSignature' 'extendedKeyUsage = serverAuth' \
    "subjectAltName = $list"
openssl req -new -sha256 -key "$work/key.pem" -config "$work/server.cnf" -subj "/CN=${names[0]}" \
    -out "$work/request.pem"
openssl x509 -req -sha256 -days "$days" -in "$work/request.pem" -CA "$out/ca.pem" \
    -CAkey "$out/ca-key.pem" -set_serial "0x$(openssl rand -hex 16)" \
    -extfile "$work/server.cnf" -extensions v3 -out "$work/certificate.pem" 2>"$work/log" \
    || { cat "$work/log" >&2; fail 'openssl could not sign the certificate; the lines above say why'; }
openssl verify -CAfile "$out/ca.pem" "$work/certificate.pem" >/dev/null
mv "$work/key.pem" "$work/certificate.pem" "$out/"
chmod 644 "$out/ca.pem" "$out/certificate.pem"
printf 'made %s/certificate.pem for %s, valid for %s days\n' "$out" "${names[*]}" "$days"
printf 'browsers and programs need %s/ca.pem\n' "$out"
