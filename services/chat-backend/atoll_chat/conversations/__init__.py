"""Conversations and their messages: a tree of rows, read through its owner."""
