#!/usr/bin/env bash
# Render the configuration and become nginx: the start of the gateway and frontend containers.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
output="$GATEWAY_RUN_DIR/nginx"

"$here/render.sh" "$output"
# nginx itself needs none of the settings, and the token least of all.
unset INTERNAL_TOKEN
exec nginx -e stderr -c "$output/nginx.conf"
