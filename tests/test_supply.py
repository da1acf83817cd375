"""What the project is built with and ships: locked with digests, listed, and with its notices."""

import json
import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import material
import pytest
import vl_convert
import yaml

from harness.errors import UsageError
from harness.supply import bill_of_materials, read_lock, vulnerabilities

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
NOTICES = (ROOT / "site" / "third-party.md").read_text(encoding="utf-8")
ASSETS = Path(material.__file__).parent / "templates" / "assets"
LISTED = {
    name for row in re.findall(r"^\| (`[^|]*) \|", NOTICES, re.MULTILINE) for name in re.findall("`([^`]+)`", row)
}


@pytest.fixture(scope="module")
def packages():
    return read_lock(ROOT / "requirements.lock")


def test_lock_file_has_only_exact_versions_with_digests(packages):
    assert len(packages) > 100
    assert "://" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--index-url https://example.org/simple\n", r"lock:1: expected NAME==VERSION"),
        ("a==1\n", r"lock:1: expected NAME==VERSION"),
        ("a>=1 \\\n", r"lock:1: "),
        ("a==1 \\\n    --hash=md5:00\n", r"lock:2: "),
        ("a==1 \\\n", "a has no SHA-256"),
    ],
)
def test_anything_else_in_a_lock_file_is_refused(tmp_path, text, message):
    (tmp_path / "lock").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_lock(tmp_path / "lock")


def test_build_dependencies_and_every_declared_one_are_locked(packages):
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = declared["project"]
    extras = project["optional-dependencies"]
    wanted = [*declared["build-system"]["requires"], *project["dependencies"], *extras["dev"], *extras["simulate"]]
    names = {re.match(r"[A-Za-z0-9._-]+", each)[0].lower() for each in wanted}
    assert names <= {package.name for package in packages}


def test_bill_of_materials_follows_from_the_lock_file_alone(packages):
    text = bill_of_materials(packages)
    assert text == bill_of_materials(packages[::-1])
    content = json.loads(text)
    assert (content["bomFormat"], content["specVersion"]) == ("CycloneDX", "1.6")
    references = [component["bom-ref"] for component in content["components"]]
    assert len(set(references)) == len(packages)
    assert all(component["externalReferences"] for component in content["components"])


def test_audit_lists_vulnerable_packages_alone(packages):
    def ask(question: bytes) -> bytes:
        queries = json.loads(question)["queries"]
        return json.dumps({"results": [{"vulns": [{"id": "B"}, {"id": "A"}]}, *[{}] * (len(queries) - 1)]}).encode()

    assert vulnerabilities(packages, ask) == {packages[0].purl: ["A", "B"]}


def unreachable(_question: bytes) -> bytes:
    raise OSError("no route")


@pytest.mark.parametrize("ask", [unreachable, lambda _: b"<html>", lambda _: b"{}", lambda _: b'{"results": []}'])
def test_audit_without_data_says_that_nothing_was_audited(packages, ask):
    with pytest.raises(UsageError, match="nothing was audited"):
        vulnerabilities(packages, ask)


# Notices.


def is_listed(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in LISTED)


def test_packages_within_the_scripts_of_the_theme_have_a_notice():
    maps = sorted(ASSETS.rglob("*.map"))
    sources = [source for path in maps for source in json.loads(path.read_text(encoding="utf-8"))["sources"]]
    found = {each[1] for source in sources if (each := re.search(r"node_modules/((?:@[^/]+/)?[^/]+)/", source))}
    assert found
    assert [name for name in sorted(found) if not is_listed(name)] == []


def test_packages_within_the_chart_bundle_have_a_notice():
    (library,) = Path(vl_convert.__file__).parent.glob("*.so")
    found = {name.decode() for name in re.findall(rb"npm/(@?[a-z][a-z0-9/-]*)@\d+\.\d+\.\d+", library.read_bytes())}
    assert "vega-lite" in found
    assert [name for name in sorted(found) if not is_listed(name)] == []


def test_every_file_of_the_theme_has_a_notice():
    shipped = [f"assets/{path.relative_to(ASSETS).as_posix()}" for path in ASSETS.rglob("*") if path.is_file()]
    patterns = re.findall(r"`(assets/[^`]+)`", NOTICES)
    assert [path for path in shipped if not any(fnmatch(path, pattern) for pattern in patterns)] == []
    assert "assets/generated/vega.js" in patterns


def test_paths_of_files_are_in_a_list_that_a_phone_can_wrap_and_not_in_cells_of_a_table():
    assert not re.search(r"^\|.*`assets/", NOTICES, re.MULTILINE)


# Workflows.


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_job_has_a_time_limit_and_writes_nothing_unless_it_says_so(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert all(0 < job["timeout-minutes"] <= 120 for job in workflow["jobs"].values())
    may_write = {name for name, access in workflow["permissions"].items() if access == "write"}
    assert may_write <= ({"pull-requests"} if path.stem == "report" else set())
