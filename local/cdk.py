"""The CDK CLI with the emulator as its target."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from local.console import Step
from local.deployment import Outputs
from local.emulator import ACCOUNT, REGION, Emulator, new_log
from local.errors import SandboxError
from local.ports import HOST
from operations.cdk import Assembly, CdkProgress, cdk_environment, context_options, run_cdk
from operations.errors import OperationError
from stacks.support.settings import Settings, emulator_settings

_SHORT_POLLING = Path(__file__).with_name("short_polling.cjs")

# The number of stacks that the CLI deploys in parallel.
_CONCURRENCY = "8"


class Cdk:
    """`cdk synth`, `bootstrap`, `deploy`, and `destroy` for one deployment. Each of them raises SandboxError.

    Attributes:
        assembly: The folder with the templates to deploy. `synth` writes it; tests deploy others.
        log: The output of all commands.
    """

    def __init__(self, emulator: Emulator, context: Mapping[str, str] | None = None) -> None:
        """Prepare the folder and the log.

        Args:
            emulator: The target.
            context: Settings of the app. Deployments in one emulator need different values of `name`.
        """
        self._emulator = emulator
        self._context = {"name": Settings().name, **emulator_settings(emulator.endpoint), **(context or {})}
        self._folder = emulator.folder / self._context["name"]
        self._folder.mkdir()
        self.assembly = self._folder / "cdk.out"
        self.log = new_log(f"cdk-{self._context['name']}-{emulator.port}")

    def stack_name(self, stack: str) -> str:
        """Return the name of the stack with this id."""
        return f"{self._context['name']}-{stack}"

    def bootstrap(self, step: Step | None = None) -> None:
        """Bootstrap the account of the emulator.

        Args:
            step: Shows what the CLI waits for, as in all commands.
        """
        # The CLI runs the app even if the environment is explicit. Without one, it needs no assembly in this folder.
        self._run("bootstrap", f"aws://{ACCOUNT}/{REGION}", "--app", "", step=step)

    def synth(self, step: Step | None = None) -> None:
        """Synthesize all stacks for this machine."""
        # With the environment of the user, because building deployment packages can need the settings of pip.
        options = ["--quiet", "--output", str(self.assembly), *context_options(self._context)]
        self._run("synth", *options, environment=self._synth_environment(), step=step)

    def deploy(self, *stacks: str, exclusively: bool = False, step: Step | None = None) -> Outputs:
        """Deploy stacks, and return their outputs by stack id and output name.

        Args:
            stacks: Ids of the stacks; all if empty.
            exclusively: Deploy these stacks only, and not their dependencies.
            step: Shows what the CLI waits for.
        """
        file = self._folder / "outputs.json"
        options = ["--method=direct", "--require-approval=never", "--outputs-file", str(file)]
        self._run_on_stacks("deploy", stacks, *options, *(["--exclusively"] if exclusively else []), step=step)
        outputs: Outputs = json.loads(file.read_text()) if file.exists() else {}
        assembly = Assembly(self.assembly)
        deployed = set(stacks) if exclusively else assembly.with_dependencies(set(stacks or assembly.stacks()))
        return {stack: outputs.get(self.stack_name(stack), {}) for stack in sorted(deployed)}

    def destroy(self, *stacks: str, step: Step | None = None) -> None:
        """Destroy these stacks, or all."""
        self._run_on_stacks("destroy", stacks, "--force", step=step)

    def environment(self) -> dict[str, str]:
        """Return environment variables that lead AWS clients to this emulator and nowhere else."""
        kept = {name: value for name, value in self._synth_environment().items() if not name.startswith("AWS_")}
        return kept | self._emulator.client_environment() | {
            "NODE_OPTIONS": f"{kept.get('NODE_OPTIONS', '')} --require {_SHORT_POLLING}".strip(),
            "HOME": str(self._emulator.folder),  # where the CLI caches the account of an access key
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": HOST,
            "no_proxy": HOST,
        }  # fmt: skip

    def _synth_environment(self) -> dict[str, str]:
        return cdk_environment(
            CDK_VALIDATION="false",  # takes seconds, and `make check` validates the templates
            CDK_DISABLE_CLI_TELEMETRY="true",
            NO_COLOR="1",
            # jsii unpacks several megabytes here in each run.
            TMPDIR=str(self._emulator.folder / "tmp"),
        )

    def _run_on_stacks(self, command: str, stacks: tuple[str, ...], *options: str, step: Step | None) -> None:
        selected = stacks or ("--all",)
        self._run(command, *selected, "--app", str(self.assembly), "--concurrency", _CONCURRENCY, *options, step=step)

    def _run(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        step: Step | None = None,
    ) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"\n$ cdk {' '.join(arguments)}\n")
            log.flush()
            on_line = CdkProgress(step, list_stacks=False).read if step is not None else None
            try:
                run_cdk(*arguments, environment=environment or self.environment(), log=log, on_line=on_line)
            except OperationError as error:
                self._emulator.check()
                raise SandboxError(f"{error}\nLog: {self.log}") from None
