"""A backend whose model server is a fake one, outside of the process under test."""

from chat_fixtures import ada, chat, fake, grace

__all__ = ["ada", "chat", "fake", "grace"]
