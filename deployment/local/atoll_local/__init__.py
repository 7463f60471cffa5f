"""Atoll as host processes: one nginx, one chat backend, one inference service."""

__version__ = "0.1.0"
