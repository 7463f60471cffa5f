"""`atoll-chat openapi`: the description of the API, without starting anything."""

import json
import secrets

from atoll_chat.app import build_app
from atoll_chat.settings import Settings


def run() -> int:
    """Print the OpenAPI document as JSON."""
    # Nothing is opened, so the secrets that the settings ask for protect nothing.
    settings = Settings(secret_key=secrets.token_hex(32), internal_token=secrets.token_hex(32))
    print(json.dumps(build_app(settings).openapi(), indent=2, ensure_ascii=False))
    return 0
