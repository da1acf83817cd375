"""Errors that end a command with a message; every other exception is a fault of the program."""


class MeasureError(Exception):
    """What cannot be measured as it is: what was found, what was expected, and the fix."""

    def __init__(self, found: str, expected: str, fix: str) -> None:
        super().__init__(f"{found}; expected {expected}. {fix}")
        self.found, self.expected, self.fix = found, expected, fix
