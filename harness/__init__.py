"""The machine between measurements and what is published of them.

Rooms are layers: a module imports lower layers or its own room, never upwards.
"""

__version__ = "0.1.0"
