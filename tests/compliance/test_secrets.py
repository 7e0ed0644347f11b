"""No secret is in the repository, in a template, in what a function or task is told, or in what an image is made of."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from detect_secrets.core import scan
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.settings import transient_settings

from stacks.support.build_context import CONTAINERS, build_context

ROOT = Path(__file__).parent.parent.parent

# Findings that are none, by file: what was found, and why it is no secret.
_ACCEPTED = {
    "local/emulator.py": ("Secret Keyword", "the emulator checks no signature, so its clients sign with a word"),
    "local/sandbox.py": ("Secret Keyword", "the same word"),
    "tools/resource_table.py": ("Secret Keyword", "the name of a type of resource"),
    "tests/conftest.py": ("Secret Keyword", "a word, so that a test which forgets to mock AWS reaches no account"),
    "tests/lambda_src/photos/test_event_ordering.py": ("Hex High Entropy String", "sequencers of S3 events"),
    "tests/local/extension/test_rest_apis.py": ("Secret Keyword", "a key of an emulator that ends with the test"),
    "tests/operations/test_key.py": ("Secret Keyword", "a key of a mocked API Gateway"),
}

_DETECTORS = sorted(found.__name__ for found in get_mapping_from_secret_type_to_class().values())

# What is none wherever it is: names and placeholders; hashes by which pip and npm know that they got what was pinned;
# and that hosts give their credentials to whoever has a token only.
_FILTERS = {
    **{
        f"detect_secrets.filters.heuristic.{name}": {}
        for name in (
            "is_indirect_reference",
            "is_likely_id_string",
            "is_not_alphanumeric_string",
            "is_templated_secret",
        )
    },
    "detect_secrets.filters.regex.should_exclude_line": {
        "pattern": ["--hash=sha256:", '"integrity": "sha512-', '"HttpTokens": "required"']
    },
}


def _secrets(files: Iterable[Path], detectors: Iterable[str] = _DETECTORS) -> set[tuple[Path, str]]:
    """File and kind of all that looks like a secret. Nobody is asked whether it is one."""
    settings = {
        "plugins_used": [{"name": name} for name in detectors],
        "filters_used": [{"path": path, **options} for path, options in _FILTERS.items()],
    }
    with transient_settings(settings):
        return {(file, secret.type) for file in files for secret in scan.scan_file(str(file))}


@pytest.fixture(scope="module")
def repository() -> list[Path]:
    """What is under version control, or will be."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


@pytest.mark.slow
@pytest.mark.guarantee("Closed")
def test_no_secret_is_in_the_repository_but_for_those_that_are_none(repository: list[Path]) -> None:
    found = {(file.relative_to(ROOT).as_posix(), kind) for file, kind in _secrets(repository)}
    assert found == {(file, kind) for file, (kind, _) in _ACCEPTED.items()}


@pytest.mark.guarantee("Closed")
def test_no_secret_is_in_a_template(assembly: Path) -> None:
    # Logical ids and names of assets are hashes, which no entropy tells from a secret.
    detectors = [name for name in _DETECTORS if "HighEntropy" not in name]
    templates = [*assembly.glob("*.template.json")]
    assert templates and _secrets(templates, detectors) == set()


@pytest.mark.guarantee("Closed")
def test_nothing_is_told_to_a_program_that_is_called_a_secret(assembly: Path) -> None:
    names = {
        name
        for file in assembly.glob("*.template.json")
        for resource in json.loads(file.read_text())["Resources"].values()
        for name in _variables(resource.get("Properties", {}))
    }
    assert "CATALOGUE_TABLE" in names
    assert {name for name in names if any(word in name for word in ("KEY", "PASSWORD", "SECRET", "TOKEN"))} == set()


def _variables(value: Any) -> Iterable[str]:
    """Names of the variables in every environment of a resource: of functions, tasks, jobs and builds."""
    if isinstance(value, list):
        return [name for inner in value for name in _variables(inner)]
    if not isinstance(value, dict):
        return []
    found = [name for inner in value.values() for name in _variables(inner)]
    for listed in (value.get("Environment"), value.get("EnvironmentVariables")):
        if isinstance(listed, list):
            found += [entry["Name"] for entry in listed]
        elif isinstance(listed, dict):
            found += listed.get("Variables", {})
    return found


def test_the_key_of_the_api_is_chosen_by_aws_and_in_no_template(assembly: Path) -> None:
    resources = json.loads((assembly / "Api.template.json").read_text())["Resources"].values()
    (key,) = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::ApiGateway::ApiKey"]
    assert "Value" not in key


@pytest.mark.guarantee("Closed")
@pytest.mark.parametrize("image", sorted(file.parent.name for file in CONTAINERS.glob("*/Dockerfile")))
def test_an_image_is_made_of_nothing_but_files_of_the_repository(repository: list[Path], image: str) -> None:
    contents = {file.read_bytes() for file in repository}
    sent = [file for file in build_context(image).rglob("*") if file.is_file()]
    assert sent
    assert [file for file in sent if file.read_bytes() not in contents] == []


# Put together here, so that they are not found in this file.
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("key = " + '"AKIA' + 'QYLPMN5HHHFPZAM2"', "AWS Access Key"),
        (
            "-----BEGIN RSA " + "PRIVATE KEY-----\n" + "MIIEpAIBAAKC" + "AQEAvN3kQ\n-----END RSA PRIVATE KEY-----",
            "Private Key",
        ),
        ("https://me:" + "correcthorse@photos.test/", "Basic Auth Credentials"),
        ("ghp_" + "wWPw5k4aXcaT4fNP0" + "UcnZwJUVFk6LO0pINUx", "GitHub Token"),
    ],
)
def test_a_secret_is_found(tmp_path: Path, text: str, kind: str) -> None:
    file = tmp_path / "program.py"
    file.write_text(text + "\n")
    assert kind in {found for _, found in _secrets([file])}
