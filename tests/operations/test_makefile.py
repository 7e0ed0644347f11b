"""The Makefile passes variables to the commands and finds the tools of this folder."""

import os
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


@pytest.mark.parametrize(
    ("target", "passed"),
    [
        ("deploy STACKS=Api allowed_cidr=9.9.9.9/32 YES=1", "operations -c allowed_cidr='9.9.9.9/32' deploy Api --yes"),
        ("deploy expires_after_hours=8", "operations -c expires_after_hours='8' deploy"),
        ("cost expires_after_hours=", "operations -c expires_after_hours='' cost"),  # removes the expiry
        ("compare", "operations compare --photos '200'"),
        ("compare PHOTOS=50 name=annas YES=1", "operations -c name='annas' compare --photos '50' --yes"),
        ("logs", "operations logs --follow --minutes '10'"),
        ("logs name=annas MINUTES=60", "operations -c name='annas' logs --follow --minutes '60'"),
        ("cost PHOTOS=1e6 PAGE_VIEWS=5 UPLOAD=s3", "operations cost --upload 's3' --photos '1e6' --page-views '5'"),
        ("soak", "tests.soak"),
        ("soak SEED=7 thumbnails_on=fargate", "tests.soak --seed 7 --thumbnails-on 'fargate'"),
        ("local time_zone=Asia/Tokyo PORT=5000", "local -c time_zone='Asia/Tokyo' up --port 5000"),
        ("demo time_zone=Asia/Tokyo PORT=5000", "local -c time_zone='Asia/Tokyo' demo --port 5000"),
    ],
)
def test_target_passes_its_variables(target: str, passed: str) -> None:
    program, *words = _last_command(*target.split())
    assert (program, " ".join(words)) == ("python", f"-m {passed}")


def test_deploy_target_passes_several_stacks() -> None:
    assert _last_command("deploy", "STACKS=Cron Ecs")[2:] == ["operations", "deploy", "Cron", "Ecs"]


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


def test_commands_print_in_a_locale_without_utf_8(tmp_path: Path) -> None:
    makefile = tmp_path / "print.mk"
    makefile.write_text("include Makefile\nprint:\n\t@python -c 'print(chr(0x2713))'\n")
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    run = subprocess.run(
        ["make", "-f", str(makefile), "print"], cwd=ROOT, env=os.environ | ascii_only, stdout=subprocess.PIPE
    )
    assert run.stdout.decode() == "✓\n"
