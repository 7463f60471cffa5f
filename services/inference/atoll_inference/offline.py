"""Keeps the model libraries from asking anyone anything."""

import os


def go_offline() -> None:
    """Call before a model library is imported: they read this once.

    Checkpoints are always named by folder, so nothing should be asked for; this makes sure of it.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
