"""Build the site with MkDocs, and serve the built site on this machine; it writes no page itself."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from harness.errors import DeepenError, UsageError


class SiteError(DeepenError):
    """MkDocs found faults in the pages; the message holds its output."""


def build_site(root: Path, *, strict: bool = True) -> Path:
    """Build the site of the repository at `root`.

    Args:
        root: folder of `mkdocs.yml`, with the generated pages already written.
        strict: whether a warning, such as a broken link, is a fault.

    Returns:
        Folder of the built site.

    Raises:
        SiteError: MkDocs refused the pages.
    """
    # A process of its own, because MkDocs configures logging and warnings for the whole interpreter; and not a quiet
    # one, because that would count no warnings.
    command = [sys.executable, "-m", "mkdocs", "build", "--clean", *(["--strict"] if strict else [])]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "SOURCE_DATE_EPOCH": "0"}
    done = subprocess.run(  # noqa: S603
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SiteError(f"mkdocs build failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}".rstrip())
    return root / "dist" / "site"


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log no request."""


@contextmanager
def site_server(folder: Path, host: str = "127.0.0.1", port: int = 0) -> Iterator[ThreadingHTTPServer]:
    """Server of a built site, bound and not yet serving; port 0 takes a free one.

    Raises:
        UsageError: nothing is built yet, or the address is taken.
    """
    if not (folder / "index.html").is_file():
        raise UsageError(f"{folder} holds no built site; run `deepen site` first")
    try:
        server = ThreadingHTTPServer((host, port), partial(_QuietHandler, directory=str(folder)))
    except OSError as fault:
        raise UsageError(f"cannot serve on {host}:{port}: {fault.strerror}; choose another port") from fault
    try:
        yield server
    finally:
        server.server_close()


def serve_site(
    folder: Path, host: str = "127.0.0.1", port: int = 8000, on_ready: Callable[[str], None] = lambda _: None
) -> None:
    """Serve a built site until interrupted; by default this machine alone can reach it.

    Args:
        folder: the built site.
        host: address to listen on.
        port: port to listen on.
        on_ready: called with the site's address once it can be read.
    """
    with site_server(folder, host, port) as server, suppress(KeyboardInterrupt):
        on_ready(f"http://{host}:{port}/")
        server.serve_forever()
