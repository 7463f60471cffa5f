"""Atoll inference: every model of the stack behind one HTTP API.

Layers, one direction: `api` (HTTP) -> `serving` (admission, lifecycle) -> `engines` (model
runtimes). `catalog` knows what lies in the models folder; `media` turns bytes into arrays.
"""

__version__ = "0.1.0"
