"""Users, sessions and API keys: who is asking, and what that allows."""
