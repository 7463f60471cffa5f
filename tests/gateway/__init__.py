"""The gateway as clients and services see it: the real nginx, rendered from the real templates."""
