"""Runs: one generation each, alive on its own, read through an event log."""
