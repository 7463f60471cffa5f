"""The nginx file of an installation that stands behind an nginx of its own."""

FILE = "nginx/site.conf"
HEADING = "# Written by apply-config.sh for the nginx of this machine"
_TEMPLATE = """\
%(heading)s: include it in the http block, or put it
# into sites-enabled. Do not edit: it is written anew. A server with `listen 443 ssl` and your
# certificate takes the same location.
map $http_upgrade $atoll_connection {
    default upgrade;
    ''      '';
}

server {
    listen 80;
    listen [::]:80;
    server_name %(server_name)s;

    # Atoll has its own limits, and answers what is over them in its own words.
    client_max_body_size 0;

    location / {
        proxy_pass http://127.0.0.1:%(port)s;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $atoll_connection;
        # Answers stream, and a long one may pause.
        proxy_buffering off;
        proxy_request_buffering off;
        proxy_read_timeout 3600s;
        proxy_send_timeout 3600s;
    }
}
"""


def render(port: str, server_name: str | None) -> str:
    """The file, for a gateway that listens on `port` of this machine."""
    return _TEMPLATE % {"heading": HEADING, "port": port, "server_name": server_name or "_"}
