"""The CDK CLI wrapper and the cloud assembly."""

import io
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.console import Step
from operations.cdk import Assembly, CdkProgress, cdk_json_context, run_cdk, synthesize
from operations.errors import OperationError
from stacks.support.settings import Settings
from tests.e2e.eventually import eventually
from tests.processes import running_processes
from tests.stub_programs import write_programs

ROOT = Path(__file__).parent.parent.parent


def test_with_dependencies_includes_indirect_dependencies(assembly: Path) -> None:
    stacks = Assembly(assembly)
    assert stacks.with_dependencies({"Cron"}) == {"Cron", "Thumbnails"}
    assert stacks.with_dependencies({"Batch", "Lightsail"}) >= {"Network", "Registry", "Thumbnails"}
    assert stacks.with_dependencies(set()) == set()


def test_with_dependencies_rejects_an_unknown_stack(assembly: Path) -> None:
    with pytest.raises(OperationError, match=r"Unknown stack Cronn\. Allowed: .*Cron, "):
        Assembly(assembly).with_dependencies({"Cronn"})


@pytest.mark.slow
def test_synthesize_reports_an_invalid_setting_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match=r"^Setting time_zone: .*'Mars'$"):
        synthesize(tmp_path, {"time_zone": "Mars"})


_FAILED_DEPLOYMENT = """
Network (annas-Network): deploying... [1/2]
annas-Network | 1/9 | 9:00:00 AM | \x1b[31mCREATE_FAILED\x1b[39m | AWS::EC2::VPC | Network/Vpc (Vpc8) Too many VPCs
annas-Network | 9:00:00 AM | CREATE_FAILED        | AWS::EC2::VPC | Network/Vpc (Vpc8) Too many VPCs
❌  Network (annas-Network) failed: the stack rolled back
‣ DeploymentError: Resource creation failed:
"""


def test_run_cdk_fails_with_the_reasons_and_logs_everything_without_colors(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_programs(tmp_path, {"cdk": f"cat >&2 << 'END'\n{_FAILED_DEPLOYMENT}\nEND\nexit 1"})
    monkeypatch.setattr("operations.cdk._CLI", tmp_path / "cdk")
    log, lines = io.StringIO(), list[str]()
    with pytest.raises(OperationError) as error:
        run_cdk("deploy", log=log, on_line=lines.append)
    heading, *reasons = str(error.value).splitlines()
    assert "cdk deploy" in heading
    assert [reason.strip() for reason in reasons] == [
        "CREATE_FAILED AWS::EC2::VPC Network/Vpc (Vpc8) Too many VPCs",
        "❌  Network (annas-Network) failed: the stack rolled back",
    ]
    assert "CREATE_FAILED | AWS::EC2::VPC" in log.getvalue()
    assert lines == [line.strip() for line in log.getvalue().splitlines()]
    assert "Network (annas-Network): deploying... [1/2]" in lines
    assert capfd.readouterr() == ("", "")


_ERROR_IN_THE_APP = f"""
jsii.errors.JavaScriptError:
Error: the retention is invalid

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "{ROOT}/app.py", line 40, in build
    NetworkStack(app)
  File "{ROOT}/stacks/network.py", line 29, in __init__
    Queue(self, retention_period=Duration.days(99))
  File "{ROOT}/.venv/lib/python3.11/site-packages/jsii/process.py", line 359, in send
    raise RuntimeError(resp.error) from JavaScriptError(resp.stack)
RuntimeError: Queue has validation errors:
- retention: 1209600 seconds at most
python3 app.py: Subprocess exited with error 1
"""


def test_run_cdk_names_the_line_of_the_project_and_the_error_of_the_app(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_programs(tmp_path, {"cdk": f"cat >&2 << 'END'\n{_ERROR_IN_THE_APP}\nEND\nexit 1"})
    monkeypatch.setattr("operations.cdk._CLI", tmp_path / "cdk")
    with pytest.raises(OperationError) as error:
        run_cdk("synth", log=io.StringIO())
    assert [line.strip() for line in str(error.value).splitlines()[1:]] == [
        f'File "{ROOT}/stacks/network.py", line 29, in __init__',
        "RuntimeError: Queue has validation errors:",
        "- retention: 1209600 seconds at most",
    ]


def test_interrupted_operation_ends_the_cli(tmp_path: Path) -> None:
    process_id = tmp_path / "process-id"
    write_programs(tmp_path, {"cdk": f"echo $$ > {process_id}.new; mv {process_id}.new {process_id}; exec sleep 600"})
    program = "import sys\nfrom operations import __main__, cdk\ncdk._CLI = sys.argv.pop()\n__main__.main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "synth", str(tmp_path / "cdk")], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        eventually(process_id.exists)
        process.send_signal(signal.SIGINT)
        assert "Stopped. If CloudFormation" in process.communicate()[1]
    assert process.returncode == 1
    assert int(process_id.read_text()) not in {it.id for it in running_processes()}


def test_progress_names_what_the_cli_waits_for() -> None:
    step = Step()
    progress = CdkProgress(step, list_stacks=False)
    event = "annas-Ecs | 1/9 | 9:00:00 AM | CREATE_{:11} | AWS::{:12} | {} (A1B2) "
    for line, waits_for in (
        ("Installing the libraries of api for linux …", "Installing the libraries of api for linux …"),
        ("annas-Ecs: start: Publishing annas-Ecs Template (current_account)", "Ecs: publishing annas-Ecs Template"),
        ("Api (annas-Api): deploying... [1/2]", "Api, Ecs: publishing annas-Ecs Template"),
        ("annas-Ecs: success: Published annas-Ecs Template (current_account)", "Api"),
        ("Ecs (annas-Ecs): deploying... [2/2]", "Api, Ecs"),
        (event.format("IN_PROGRESS", "ECS::Cluster", "Ecs/Main"), "Api, Ecs/Main CREATE_IN_PROGRESS AWS::ECS::Cluster"),
        (event.format("IN_PROGRESS", "ECS::Service", "Ecs/Web"), "Api, Ecs/Web CREATE_IN_PROGRESS AWS::ECS::Service"),
        (event.format("COMPLETE", "ECS::Service", "Ecs/Web"), "Api, Ecs/Main CREATE_IN_PROGRESS AWS::ECS::Cluster"),
        # Events of the same time are in any order.
        (event.format("IN_PROGRESS", "ECS::Service", "Ecs/Web"), "Api, Ecs/Main CREATE_IN_PROGRESS AWS::ECS::Cluster"),
        ("✅  Api (annas-Api) (no changes)", "Ecs/Main CREATE_IN_PROGRESS AWS::ECS::Cluster"),
        ("❌  Ecs (annas-Ecs) failed: it is broken", ""),
        ("Api (annas-Api): destroying... [1/1]", "Api"),
        ("✅  Api (annas-Api): destroyed", ""),
        (
            "CDKToolkit | 0/12 | 9:00:00 AM | CREATE_IN_PROGRESS | AWS::ECR::Repository | ContainerAssets ",
            "CDKToolkit CREATE_IN_PROGRESS AWS::ECR::Repository",
        ),
    ):
        progress.read(line)
        assert step.waits_for == waits_for, line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"context": {"name": "annas" "target": "aws"}}', "cdk.json .* line 1 column 30"),
        ("{}", "cdk.json has no 'context'"),
        ('{"context": {"name": 7}}', "Setting name .* received 7"),
    ],
)
def test_cdk_json_context_rejects_an_invalid_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    (tmp_path / "cdk.json").write_text(text)
    monkeypatch.setattr("operations.cdk._ROOT", tmp_path)
    with pytest.raises(OperationError, match=message):
        cdk_json_context()


def test_cdk_json_context_has_the_default_name_of_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cdk.json").write_text('{"context": {}}')
    monkeypatch.setattr("operations.cdk._ROOT", tmp_path)
    assert cdk_json_context() == {"name": Settings().name}
