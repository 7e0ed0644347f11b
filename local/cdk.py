"""The real CDK command line, against the emulator."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.deployment import Outputs
from local.emulator import ACCOUNT, HOST, LOGS, REGION, ROOT, Emulator, kill_group
from local.errors import SandboxError

_CLI = ROOT / "node_modules" / ".bin" / "cdk"

# Stacks that do not need each other are deployed side by side.
_CONCURRENCY = "8"

# Nothing of a sandbox is to reach the internet, nor to be coloured in a log.
_QUIET = {"CDK_DISABLE_CLI_TELEMETRY": "true", "NO_COLOR": "1"}


class Cdk:
    """`cdk bootstrap`, `synth`, `deploy` and `destroy` of one copy of the app. All of them raise SandboxError.

    context: settings of the app; copies in one emulator differ in `name`
    assembly: the folder with the templates that are deployed: those that `synth` writes, or others
    """

    def __init__(self, emulator: Emulator, context: Mapping[str, str] | None = None) -> None:
        self._emulator = emulator
        # Who may use what is deployed: this machine, as `make deploy` lets in the one it is called on.
        usual = {"name": "other-compute", "allowed_cidr": f"{HOST}/32"}
        self._context = {**usual, **(context or {}), "target": "local"}
        self._folder = emulator.folder / self._context["name"]
        self._folder.mkdir()
        self.assembly = self._folder / "cdk.out"
        self.log = LOGS / f"cdk-{self._context['name']}-{emulator.port}.log"
        self.log.unlink(missing_ok=True)

    def stack_name(self, stack: str) -> str:
        """The name in the account of the stack with this id."""
        return f"{self._context['name']}-{stack}"

    def bootstrap(self) -> None:
        """Create what the CDK needs in an account: a bucket for assets, and roles."""
        self._run("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--app", str(self.assembly))

    def synth(self) -> None:
        """Write the templates of all stacks for this machine."""
        options = [option for item in self._context.items() for option in ("-c", "=".join(item))]
        # In the user's own environment: making bundles may need the settings of pip.
        self._run(
            "synth",
            "--quiet",
            "--output",
            str(self.assembly),
            *options,
            environment=self._synth_environment(),
        )

    def deploy(self, *stacks: str) -> Outputs:
        """Deploy these stacks and what they need, or all. Returns outputs by stack id and output name."""
        file = self._folder / "outputs.json"
        self._run(
            "deploy", *(stacks or ["--all"]), "--app", str(self.assembly), "--method=direct",
            "--require-approval=never", "--concurrency", _CONCURRENCY, "--outputs-file", str(file),
        )  # fmt: skip
        outputs: Outputs = json.loads(file.read_text()) if file.exists() else {}
        return {name.removeprefix(self.stack_name("")): values for name, values in outputs.items()}

    def destroy(self, *stacks: str) -> None:
        """Destroy these stacks, or all."""
        self._run(
            "destroy", *(stacks or ["--all"]), "--app", str(self.assembly), "--force", "--concurrency", _CONCURRENCY
        )  # fmt: skip

    def _run(self, command: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        with self.log.open("a") as log:
            log.write(f"\n$ cdk {command} {' '.join(arguments)}\n")
            log.flush()
            start = log.tell()
            process = subprocess.Popen(
                [_CLI, command, "--no-notices", *arguments],
                cwd=ROOT,
                env=environment or self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                status = process.wait()
            finally:
                kill_group(process)  # if we were stopped: the CLI, and the app it runs
        if status != 0:
            self._emulator.check()
            raise SandboxError(_summary(command, self.log.read_text()[start:]) + f"\nThe whole log: {self.log}")

    def _synth_environment(self) -> dict[str, str]:
        # The templates are checked in full by `make check`; the same check takes seconds here at each start.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        # What the CDK's libraries unpack goes with the emulator, even if they are killed: megabytes each time.
        temporary = {"TMPDIR": str(self._emulator.folder / "tmp")}
        return {**os.environ, "PATH": path, "CDK_VALIDATION": "false", **_QUIET, **temporary}

    def environment(self) -> dict[str, str]:
        """Of a command line that is to reach this emulator and nothing else."""
        kept = {name: value for name, value in self._synth_environment().items() if not name.startswith("AWS_")}
        return kept | self._emulator.client_environment() | {
            # The CLI caches which account an access key belongs to, and reads profiles: not here.
            "HOME": str(self._emulator.folder),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }  # fmt: skip


def _summary(command: str, output: str) -> str:
    """The lines of a failed command that say why."""
    lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*m", "", output).splitlines()]
    telling = [
        line
        for line in lines
        if re.search(r"CREATE_FAILED|UPDATE_FAILED|DELETE_FAILED|❌|rror|^Setting ", line)
        and "Subprocess exited with error" not in line  # the app has said why
    ]
    return "\n  ".join([f"`cdk {command}` failed:", *dict.fromkeys((telling or lines)[:8])])
