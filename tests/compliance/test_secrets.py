"""No secret is in the repository, a template, an environment variable, or an image."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from detect_secrets.core import scan
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.settings import transient_settings

from stacks.support.build_context import CONTAINERS, build_context
from tests.templates import only, read_all_resources, read_resources

ROOT = Path(__file__).parents[2]

# False positives by file: what is found, and why it is not a secret.
_FALSE_POSITIVES = {
    "tests/conftest.py": ("Secret Keyword", "a word, so that a test without a mock reaches no account"),
    "tests/lambda_src/photos/test_event_ordering.py": ("Hex High Entropy String", "sequencers of S3 events"),
    "tests/operations/test_key.py": ("Secret Keyword", "a key of a mocked API Gateway"),
    "tests/operations/test_preflight.py": ("Secret Keyword", "a word, in credentials that nothing sends"),
}

_DETECTORS = sorted(found.__name__ for found in get_mapping_from_secret_type_to_class().values())

# Never secrets: names, placeholders, the hashes with which pip and npm verify downloads, and the IMDSv2 setting.
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
    """File and kind of everything that looks like a secret. No detector calls a network service."""
    settings = {
        "plugins_used": [{"name": name} for name in detectors],
        "filters_used": [{"path": path, **options} for path, options in _FILTERS.items()],
    }
    with transient_settings(settings):
        return {(file, secret.type) for file in files for secret in scan.scan_file(str(file))}


@pytest.fixture(scope="module")
def repository() -> list[Path]:
    """Files that are in the repository, or would be added to it."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


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
def test_scan_finds_a_secret(tmp_path: Path, text: str, kind: str) -> None:
    file = tmp_path / "program.py"
    file.write_text(text + "\n")
    assert kind in {found for _, found in _secrets([file])}


@pytest.mark.slow
@pytest.mark.guarantee("Closed")
def test_repository_contains_no_secret(repository: list[Path]) -> None:
    found = {(file.relative_to(ROOT).as_posix(), kind) for file, kind in _secrets(repository)}
    assert found == {(file, kind) for file, (kind, _) in _FALSE_POSITIVES.items()}


@pytest.mark.guarantee("Closed")
def test_templates_contain_no_secret(assembly: Path) -> None:
    # Logical ids and asset names are hashes, which have the entropy of a secret.
    detectors = [name for name in _DETECTORS if "HighEntropy" not in name]
    templates = [*assembly.glob("*.template.json")]
    assert templates and _secrets(templates, detectors) == set()


@pytest.mark.guarantee("Closed")
def test_no_environment_variable_is_named_like_a_secret(assembly: Path) -> None:
    names = {
        name for resource in read_all_resources(assembly).values() for name in _variables(resource.get("Properties"))
    }
    assert "CATALOGUE_TABLE" in names
    assert {name for name in names if any(word in name for word in ("KEY", "PASSWORD", "SECRET", "TOKEN"))} == set()


def _variables(value: Any) -> Iterable[str]:
    """Names of the variables in every environment of a resource: of functions, tasks, jobs, and builds."""
    if isinstance(value, list):
        return [name for inner in value for name in _variables(inner)]
    if not isinstance(value, dict):
        return []
    names = [name for inner in value.values() for name in _variables(inner)]
    for environment in (value.get("Environment"), value.get("EnvironmentVariables")):
        if isinstance(environment, list):
            names += [entry["Name"] for entry in environment]
        elif isinstance(environment, dict):
            names += environment.get("Variables", {})
    return names


@pytest.mark.guarantee("Closed")
def test_api_key_is_generated_and_in_no_template(assembly: Path) -> None:
    _, key = only(read_resources(assembly, "Api"), "AWS::ApiGateway::ApiKey")
    assert "Value" not in key


@pytest.mark.guarantee("Closed")
@pytest.mark.parametrize("image", sorted(file.parent.name for file in CONTAINERS.glob("*/Dockerfile")))
def test_image_contains_only_files_of_the_repository(repository: list[Path], image: str) -> None:
    contents = {file.read_bytes() for file in repository}
    files = [file for file in build_context(image).rglob("*") if file.is_file()]
    assert files
    assert [file for file in files if file.read_bytes() not in contents] == []
