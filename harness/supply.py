"""What the project is built with: a bill of materials from the lock file, and a report of known vulnerabilities.

Run as `python -m harness.supply bom` or `python -m harness.supply audit` in the root of the checkout.
"""

import json
import re
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from harness import __version__
from harness.errors import DeepenError, UsageError
from harness.files import write_file

LOCK_FILE: Final = Path("requirements.lock")
BOM_FILE: Final = Path("dist", "sbom.cdx.json")
SERVICE: Final = "https://api.osv.dev/v1/querybatch"
"""Database of vulnerabilities of open source packages."""
_ENTRY: Final = re.compile(r"(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+?))? \\")
_HASH: Final = re.compile(r"    --hash=sha256:(?P<digest>[0-9a-f]{64})(?: \\)?")
_TIMEOUT_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Package:
    """One package of the lock file.

    Attributes:
        name: normalised name on the package index.
        version: exact version.
        sha256: digests of its files, any of which may be installed.
        marker: environments that it is installed in; empty for all.
    """

    name: str
    version: str
    sha256: tuple[str, ...]
    marker: str = ""

    @property
    def purl(self) -> str:
        """Package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def read_lock(path: Path = LOCK_FILE) -> list[Package]:
    """Packages of a lock file, which has nothing else: no address, no option, and no package without a digest.

    Raises:
        UsageError: it cannot be read, or has something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"{path.as_posix()} cannot be read: {error.strerror}") from error
    packages: list[Package] = []
    for number, line in enumerate(lines, start=1):
        if entry := _ENTRY.fullmatch(line):
            packages.append(Package(entry["name"], entry["version"], (), entry["marker"] or ""))
        elif (found := _HASH.fullmatch(line)) and packages:
            last = packages.pop()
            packages.append(Package(last.name, last.version, (*last.sha256, found["digest"]), last.marker))
        else:
            raise UsageError(f"{path.as_posix()}:{number}: expected NAME==VERSION or a SHA-256; run make lock")
    if bare := next((package for package in packages if not package.sha256), None):
        raise UsageError(f"{path.as_posix()}: {bare.name} has no SHA-256; run make lock")
    return packages


def bill_of_materials(packages: Sequence[Package]) -> str:
    """Bill of materials as CycloneDX JSON; the same lock file gives the same bytes.

    A package has one digest for each file that its version has, so these are references to the files and not digests of
    the component.

    Source:
        CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json.
    """
    content = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "deepen", "version": __version__}},
        "components": [_component(package) for package in sorted(packages, key=lambda package: package.purl)],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _component(package: Package) -> dict[str, Any]:
    files = [
        {
            "type": "distribution",
            "url": f"{package.purl}#{number}",
            "hashes": [{"alg": "SHA-256", "content": digest}],
        }
        for number, digest in enumerate(package.sha256, start=1)
    ]
    marker = [{"name": "deepen:marker", "value": package.marker}] if package.marker else []
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "externalReferences": files,
        **({"properties": marker} if marker else {}),
    }


Ask = Callable[[bytes], bytes]


def ask_service(question: bytes) -> bytes:
    """Answer of the database of vulnerabilities.

    Raises:
        OSError: it cannot be reached.
    """
    request = urllib.request.Request(SERVICE, question, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
        content: bytes = answer.read()
    return content


def vulnerabilities(packages: Sequence[Package], ask: Ask = ask_service) -> Mapping[str, Sequence[str]]:
    """Known vulnerabilities by package URL; packages without one are not in it.

    Raises:
        UsageError: the database cannot be reached, or gave no answer that can be read.
    """
    queries = [{"package": {"purl": package.purl}} for package in packages]
    try:
        answers = json.loads(ask(json.dumps({"queries": queries}).encode()))["results"]
        found = {
            package.purl: sorted(each["id"] for each in answer.get("vulns", ()))
            for package, answer in zip(packages, answers, strict=True)
        }
    except OSError as error:
        raise UsageError(f"{SERVICE} cannot be reached ({error}): nothing was audited") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{SERVICE} gave an answer that cannot be read: nothing was audited") from error
    return {purl: ids for purl, ids in found.items() if ids}


def _write_bom() -> int:
    packages = read_lock()
    write_file(BOM_FILE, bill_of_materials(packages))
    typer.echo(f"{BOM_FILE.as_posix()}: {len(packages)} packages")
    return 0


def _audit() -> int:
    packages = read_lock()
    found = vulnerabilities(packages)
    for purl, ids in found.items():
        typer.echo(f"{purl}: {', '.join(ids)}")
    typer.echo(f"{len(packages)} packages audited, {len(found)} with a known vulnerability")
    return 1 if found else 0


_TASKS: Final[Mapping[str, Callable[[], int]]] = {"bom": _write_bom, "audit": _audit}


def main() -> None:
    """Write the bill of materials, or print the report; exit code 1 where a package is vulnerable, 2 without data."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in _TASKS:
        sys.exit(f"usage: python -m harness.supply {'|'.join(_TASKS)}")
    try:
        status = _TASKS[name]()
    except DeepenError as error:
        typer.echo(f"error: {error}", err=True)
        status = 2
    raise SystemExit(status)


if __name__ == "__main__":
    main()
