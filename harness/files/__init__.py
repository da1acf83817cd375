"""Files and folders that the harness writes: each is whole at any moment, and one run writes to a place at a time."""

from harness.files.writing import write_file

__all__ = ["write_file"]
