"""A backend whose model server is a fake one, outside of the process under test."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "fakes"))

from chat_fixtures import ada, chat, fake, grace

__all__ = ["ada", "chat", "fake", "grace"]
