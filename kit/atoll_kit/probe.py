"""Health checks from inside a container: one HTTP request, and nothing heavy to import."""

import json
from collections.abc import Container
from http.client import HTTPConnection, HTTPException

SECONDS = 4.0


def probe(port: int, path: str, accepted: Container[str] = ()) -> str | None:
    """What is wrong with a service on the loopback interface; None when it is well.

    Args:
        accepted: codes of refusals that say nothing against the service itself.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read(64 * 1024)
    except (OSError, HTTPException) as error:
        return f"port {port} gives no answer: {error}"
    finally:
        connection.close()
    if response.status == 200:
        return None
    try:
        refusal = json.loads(body)["error"]
        if refusal["code"] in accepted:
            return None
        return str(refusal["message"])
    except (ValueError, LookupError, TypeError):
        return f"{path} answers with status {response.status}"
