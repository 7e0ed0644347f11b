"""The Makefile passes variables to the commands and finds the tools of this folder."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True)


def _last_command(*arguments: str) -> list[str]:
    return _make("--dry-run", *arguments).stdout.splitlines()[-1].split()


@pytest.mark.parametrize("command", ["preflight", "deploy", "destroy", "cost", "key", "redrive", "remake", "synth"])
def test_operation_targets_pass_settings(command: str) -> None:
    assert _last_command(command) == ["python", "-m", "operations", command]
    assert _last_command(command, "name=annas") == ["python", "-m", "operations", "-c", "name='annas'", command]
    assert _last_command(command, "thumbnails_on=ec2")[3:5] == ["-c", "thumbnails_on='ec2'"]


def test_deploy_target_passes_stacks_settings_and_confirmation() -> None:
    assert _last_command("deploy", "STACKS=Cron Ecs", "allowed_cidr=9.9.9.9/32", "YES=1")[3:] == [
        "-c", "allowed_cidr='9.9.9.9/32'", "deploy", "Cron", "Ecs", "--yes",
    ]  # fmt: skip


@pytest.mark.parametrize("command", ["deploy", "cost"])
def test_expiry_is_passed_also_if_it_is_empty(command: str) -> None:
    assert _last_command(command, "expires_after_hours=8")[3:5] == ["-c", "expires_after_hours='8'"]
    assert _last_command(command, "expires_after_hours=")[3:5] == ["-c", "expires_after_hours=''"]


def test_compare_target_passes_photos_settings_and_confirmation() -> None:
    assert _last_command("compare")[2:] == ["operations", "compare", "--photos", "'200'"]
    assert _last_command("compare", "PHOTOS=50", "name=annas", "YES=1")[3:] == [
        "-c", "name='annas'", "compare", "--photos", "'50'", "--yes",
    ]  # fmt: skip


def test_logs_target_follows_and_passes_minutes() -> None:
    assert _last_command("logs")[3:] == ["logs", "--follow", "--minutes", "'10'"]
    assert _last_command("logs", "name=annas", "MINUTES=60")[3:] == [
        "-c", "name='annas'", "logs", "--follow", "--minutes", "'60'",
    ]  # fmt: skip


def test_cost_target_passes_usage_as_options() -> None:
    options = _last_command("cost", "PHOTOS=1e6", "PAGE_VIEWS=5", "UPLOAD=s3", "thumbnails_on=ec2")[3:]
    assert options[:3] == ["-c", "thumbnails_on='ec2'", "cost"]
    assert {" ".join(pair) for pair in zip(options[3::2], options[4::2], strict=True)} == {
        "--photos '1e6'", "--page-views '5'", "--upload 's3'",
    }  # fmt: skip


def test_soak_target_passes_seed_and_compute() -> None:
    assert _last_command("soak") == ["python", "-m", "tests.soak"]
    options = _last_command("soak", "SEED=7", "thumbnails_on=fargate")[3:]
    assert options == ["--seed", "7", "--thumbnails-on", "'fargate'"]


@pytest.mark.parametrize("target", ["local", "demo"])
def test_sandbox_targets_pass_settings(target: str) -> None:
    command = _last_command(target, "time_zone=Asia/Tokyo", "PORT=5000")
    assert command[:6] == ["python", "-m", "local", "-c", "time_zone='Asia/Tokyo'", {"local": "up"}.get(target, target)]
    assert command[6:] == ["--port", "5000"]


def test_values_reach_the_command_as_they_are(tmp_path: Path) -> None:
    email = "o'neill+$HOME`x`@example.com"
    run = _make("--dry-run", "cost", f"alert_email={email}")
    words = subprocess.run(["bash", "-c", f"printf '%s\n' {run.stdout}"], capture_output=True, text=True).stdout
    assert f"alert_email={email}" in words.splitlines()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["destroy", "nmae=annas"], "make destroy does not use the variable nmae. It uses: name "),
        (["local", "nmae=annas"], "make local does not use the variable nmae. It uses: name "),
        (["compare", "thumbnails_on=ec2"], "make compare does not use the variable thumbnails_on"),
        (["destroy", "STACKS=Cron"], "make destroy does not use the variable STACKS"),
        (["test", "name=annas"], "make test does not use the variable name"),
        (["name=annas"], "make help does not use the variable name"),
        (["deploy", "STACKS="], "STACKS is empty"),
        (["destroy", "YES=no"], "YES must be 1 or empty, but it is 'no'"),
    ],
)
def test_variables_that_a_target_does_not_use_are_rejected(arguments: list[str], message: str) -> None:
    run = _make(*arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert len(run.stderr.splitlines()) == 1
    assert message in run.stderr


def test_environment_variables_neither_confirm_nor_select(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"YES": "1", "name": "annas", "STACKS": "Cron"}.items():
        monkeypatch.setenv(name, value)
    assert _last_command("destroy") == ["python", "-m", "operations", "destroy"]
    assert _last_command("deploy") == ["python", "-m", "operations", "deploy"]


def test_recipes_find_the_tools_of_this_folder(tmp_path: Path) -> None:
    makefile = tmp_path / "tools.mk"
    makefile.write_text("include Makefile\nwhich:\n\t@command -v python node npm cdk\n\t@npm --version\n")
    run = _make("-f", str(makefile), "which")
    *found, npm_version = run.stdout.splitlines()
    assert found == [
        *(f"{ROOT}/.venv/bin/{name}" for name in ("python", "node", "npm")),
        f"{ROOT}/node_modules/.bin/cdk",
    ]
    assert npm_version.split(".")[0].isdigit()
    assert (ROOT / ".venv" / "bin" / "node").is_symlink(), "setup replaces the script of the wheel, which breaks Ctrl-C"
