"""What the Python services of Atoll share.

Nothing here knows a service: the kit is imported by services and imports none of them.
"""

__version__ = "0.1.0"
