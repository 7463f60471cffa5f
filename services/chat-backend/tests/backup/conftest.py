"""Data to back up, and the commands as an operator runs them."""

from backup_data import data, make_data, newer_release

__all__ = ["data", "make_data", "newer_release"]
