"""Accounts, conversations and administration of Atoll, and its OpenAI-compatible door."""

__version__ = "0.1.0"
