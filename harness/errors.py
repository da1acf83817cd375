"""Exceptions of programmer and environment faults; faults in submissions are issues, not exceptions."""


class DeepenError(Exception):
    """Root of every exception that the harness raises on purpose."""


class UsageError(DeepenError):
    """A request for a file, name or option that does not exist or does not fit; exit code 2."""


class ReleaseError(DeepenError):
    """A release on disk does not match its manifest, or may not be written."""


class InvalidSubmissionsError(DeepenError):
    """Submissions have errors, so nothing may be built from them; exit code 1."""
