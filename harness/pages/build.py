"""Build the site with MkDocs, and serve the built site on this machine; it writes no page itself."""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from harness.children import run_module
from harness.errors import DeepenError, UsageError
from harness.files.left_overs import scratch_folder


class SiteError(DeepenError):
    """MkDocs found faults in the pages; the message holds its output."""


def build_site(root: Path, docs: Path, out: Path, *, strict: bool = True) -> None:
    """Build the site of the repository at `root`.

    Args:
        root: folder of `mkdocs.yml`, which names no files relative to itself, since it is read from elsewhere.
        docs: folder of the pages, those that are generated included.
        out: folder of the built site; what it holds is removed.
        strict: whether a warning, such as a broken link, is a fault.

    Raises:
        SiteError: MkDocs refused the pages.
        OSError: MkDocs could not write the site.
    """
    folders = {"docs_dir": docs, "site_dir": out}
    settings = {"INHERIT": root / "mkdocs.yml", **folders}
    # A process of its own, because MkDocs configures logging and warnings for the whole interpreter; and not a quiet
    # one, because that would count no warnings.
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "SOURCE_DATE_EPOCH": "0"}
    with scratch_folder() as scratch:
        config = Path(scratch, "mkdocs.yml")
        config.write_text(json.dumps({name: str(path.resolve()) for name, path in settings.items()}), encoding="utf-8")
        arguments = ["build", "--clean", "--config-file", str(config), *(["--strict"] if strict else [])]
        done = run_module("mkdocs", arguments, folder=root, environment=environment)
    if done.returncode:
        printed = f"{done.stdout}{done.stderr}".rstrip()
        _raise_fault_of_system(printed, out)
        raise SiteError(f"mkdocs build failed with exit code {done.returncode}:\n{printed}")


def _raise_fault_of_system(printed: str, out: Path) -> None:
    """Raise a fault of the system that ended MkDocs, such as a full disk, here.

    Raises:
        OSError: there was one.
    """
    traceback = printed.rpartition("Traceback (most recent call last)")[2]
    found = re.search(r"^(?:OSError|PermissionError): \[Errno (\d+)\]", traceback, re.MULTILINE)
    if found:
        raise OSError(int(found[1]), os.strerror(int(found[1])), str(out))


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
