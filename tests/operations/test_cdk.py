"""The CDK command line for a sandbox account."""

from pathlib import Path

import pytest

from operations.cdk import Assembly, cdk_json_context, run_cdk, synthesize
from operations.errors import OperationError
from stacks.support.settings import Settings


def test_a_stack_comes_with_all_that_it_needs(assembly: Path) -> None:
    stacks = Assembly(assembly)
    assert stacks.with_dependencies({"Cron"}) == {"Cron", "Thumbnails"}
    assert stacks.with_dependencies({"Batch", "Lightsail"}) >= {
        "Batch",
        "Network",
        "Registry",
        "Thumbnails",
        "Lightsail",
    }
    assert stacks.with_dependencies(set()) == set()


def test_a_stack_that_does_not_exist_is_told_with_those_that_do(assembly: Path) -> None:
    with pytest.raises(OperationError, match=r"There is no stack Cronn\. There are: .*Cron, "):
        Assembly(assembly).with_dependencies({"Cronn"})


def test_a_wrong_setting_is_told_as_the_app_tells_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OperationError) as error:
        synthesize(tmp_path, {"time_zone": "Mars"})
    assert str(error.value) == (
        "Setting time_zone: expected an IANA time zone such as Europe/Vienna, but received 'Mars'"
    )
    assert capfd.readouterr() == ("", "Writing the templates of all stacks …\n")


def test_a_command_that_fails_is_told(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="`cdk list` failed, see above"):
        run_cdk("list", "--app", str(tmp_path / "nothing"), environment={})
    assert capfd.readouterr().err  # what it said itself


def test_the_settings_without_any_option() -> None:
    assert cdk_json_context()["name"] == "other-compute"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '{"context": {"name": "annas" "target": "aws"}}',
            "cdk.json: Expecting ',' delimiter: line 1 column 30 (char 29)",
        ),
        ("{}", "cdk.json has no 'context'."),
        ('{"context": {"name": 7}}', "Setting name: expected a string in cdk.json, but received 7"),
    ],
)
def test_a_cdk_json_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str
) -> None:
    (tmp_path / "cdk.json").write_text(text)
    monkeypatch.setattr("operations.cdk._ROOT", tmp_path)
    with pytest.raises(OperationError) as error:
        cdk_json_context()
    assert str(error.value) == told


def test_without_a_name_in_cdk_json_it_is_that_of_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cdk.json").write_text('{"context": {}}')
    monkeypatch.setattr("operations.cdk._ROOT", tmp_path)
    assert cdk_json_context() == {"name": Settings().name}
