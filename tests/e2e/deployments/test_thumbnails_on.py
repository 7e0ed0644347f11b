"""Every value of `thumbnails_on` makes the same thumbnails, and a switch while uploads continue loses no photo.

The tests switch one deployment from value to value, in this order, with the command of `make deploy`.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local.emulator import ROOT
from local.inventory import inventory
from local.sandbox import Sandbox
from tests.e2e.cloudformation import stack_outputs, stack_states, use_assembly
from tests.e2e.eventually import eventually
from tests.e2e.failure_scenarios import dead_letters, run_redrive, short_visibility_timeout
from tests.e2e.operate import operation, run_operation
from tests.e2e.programs import Workers, thumbnail_consumer, thumbnail_consumers
from tests.e2e.short_soak import run_short_soak
from tests.permissions.authorization import AuthorizationLog
from tests.permissions.compute import compute_trials
from tests.permissions.report import REPORT, permissions_on
from tests.processes import running_processes
from tests.soak.photos import Outcome, expected_outcome, soak_images
from tests.soak.plan import Plan, Request, make_plan
from tests.soak.run import Sweeps
from tests.soak.verifier import Verifier
from tests.soak.workload import Clients
from tools.photos import camera_photo, encode, phone_heic

_VALUES = ("lambda", "fargate", "ec2", "lambda-image")
_NOT_DEFAULT = _VALUES[1:]  # The other files of `tests/e2e/` test the default.
_MAX_WORKERS = {"fargate": 4, "ec2": 2}

# Makes a minute, the period of the metrics that scale the workers, one second.
_SPEED = 60

_CLIENTS = 4
_SECONDS_OF_UPLOADS = 10  # about as long as a deployment
_LARGE = "JPEG of 48 megapixels"


@dataclass
class _Uploads:
    """What clients upload during the tests, and what it must lead to."""

    sandbox: Sandbox
    images: dict[str, bytes]
    outcomes: dict[str, Outcome]
    plan: Plan = field(default_factory=lambda: Plan([], {}))

    def start(self, plan: Plan, seconds: float = 0) -> Clients:
        """Start the clients of a plan, whose keys are new."""
        self.plan = Plan([*self.plan.clients, *plan.clients], self.plan.final | plan.final)
        clients = Clients(self.sandbox, plan, self.images, seconds)
        clients.start()
        return clients

    def upload(self, files: dict[str, str]) -> None:
        """Upload files, by the names of their images."""
        requests = [Request(0, key, image) for key, image in files.items()]
        clients = self.start(Plan([requests[client::_CLIENTS] for client in range(_CLIENTS)], files))
        eventually(lambda: not clients.running)

    def problems(self) -> list[str]:
        """Wait until all events are processed. Return what is wrong, or left for the sweep to repair."""
        verifier = Verifier(self.sandbox, self.plan, self.images, self.outcomes)
        eventually(lambda: not verifier.queue_depths()["upload queue"])
        return verifier.problems(Sweeps(self.sandbox).run())


@pytest.fixture(scope="module")
def pair(empty_sandbox: Sandbox, initial_inventory: set[str]) -> Iterator[Sandbox]:
    """The sandbox with the deployment. It is destroyed even if a test fails, because other files use the sandbox."""
    empty_sandbox.outputs = {}  # those of deployments in other files
    with empty_sandbox.emulator.accelerated_metrics(_SPEED):
        yield empty_sandbox
    if stack_states(empty_sandbox):
        run_operation(empty_sandbox, "destroy", "--yes").check_returncode()


@pytest.fixture(scope="module")
def uploads(pair: Sandbox) -> _Uploads:
    images = {**soak_images(), "HEIC": phone_heic(512, 1792), _LARGE: encode(camera_photo(48), "JPEG")}
    return _Uploads(pair, images, {name: expected_outcome(image) for name, image in images.items()})


def _deploy(sandbox: Sandbox, value: str) -> list[int]:
    """Run `make deploy thumbnails_on=…`. Returns the number of consumers of the upload queue over time."""
    settings = ["-c", "allowed_cidr=127.0.0.0/8", "-c", f"thumbnails_on={value}"]
    consumers = []
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            operation(sandbox, *settings, "deploy", "--yes"),
            cwd=ROOT,
            env=sandbox.cdk.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            while process.poll() is None:
                if sandbox.outputs:
                    consumers.append(len(thumbnail_consumers(sandbox)))
                time.sleep(0.2)
        finally:
            process.wait()
        output.seek(0)
        assert process.returncode == 0, output.read()
    sandbox.outputs = stack_outputs(sandbox)
    return consumers


def _switch(uploads: _Uploads, value: str) -> None:
    """Deploy with another value while clients upload, replace, and delete files."""
    names = [name for name in uploads.images if name != _LARGE]
    plan = make_plan(25, _CLIENTS, names, value, f"during the switch to {value}/")
    clients = uploads.start(plan, _SECONDS_OF_UPLOADS)
    assert max(_deploy(uploads.sandbox, value)) == 1
    eventually(lambda: not clients.running)


@pytest.fixture(scope="module", params=_VALUES)
def value(request: pytest.FixtureRequest, pair: Sandbox, uploads: _Uploads) -> str:
    """The value to which the deployment has switched."""
    if stack_states(pair):
        _switch(uploads, request.param)
    else:
        _deploy(pair, request.param)
    return str(request.param)


@pytest.mark.guarantee("Loses no photo")
def test_switch_loses_no_photo_and_thumbnails_are_the_same(value: str, uploads: _Uploads) -> None:
    assert thumbnail_consumer(uploads.sandbox).compute == value
    uploads.upload({f"{value}/{name}": name for name in uploads.images})
    assert uploads.problems() == []


@pytest.mark.guarantee("Loses no photo")
@pytest.mark.parametrize("value", _NOT_DEFAULT, indirect=True)
def test_no_photo_is_lost_despite_faults(value: str, uploads: _Uploads) -> None:
    run_short_soak(uploads.sandbox)


@pytest.mark.guarantee("Reports every failure")
@pytest.mark.parametrize("value", ["fargate"], indirect=True)  # the soak runs `make redrive` with each value
def test_redrive_processes_a_photo_that_failed(value: str, uploads: _Uploads) -> None:
    sandbox, key = uploads.sandbox, f"{value} failed.jpg"
    with (
        short_visibility_timeout(sandbox, seconds=1),
        thumbnail_consumer(sandbox).changed(CATALOGUE_TABLE="nowhere"),
    ):
        uploads.upload({key: "rocket.jpg"})
        eventually(lambda: dead_letters(sandbox, "Thumbnails") == 1)
    inspection = run_redrive(sandbox, "--inspect").stdout
    assert f"ObjectCreated:Put '{key}'" in inspection
    assert "failed and will be retried" in inspection
    run = run_redrive(sandbox)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert uploads.problems() == []


@pytest.mark.guarantee("Least privilege")
@pytest.mark.parametrize("value", _NOT_DEFAULT, indirect=True)
def test_roles_have_exactly_the_permissions_that_probes_use(
    value: str, uploads: _Uploads, synthesize_pair: Callable[..., Path]
) -> None:
    sandbox = uploads.sandbox
    with (
        use_assembly(sandbox, synthesize_pair(thumbnails_on=value)),
        AuthorizationLog(sandbox.emulator) as log,
        compute_trials(sandbox, log, value) as trials,
    ):
        findings = trials.run_all_probes()
        trials.clean_up()
    assert findings.problems == []
    permissions = {(it.permission.role.path, it.permission.action, it.permission.scope) for it in findings.items}
    on_page = {it for it in permissions_on(REPORT.read_text()) if it[0] in {role for role, _, _ in permissions}}
    assert on_page == permissions


def _worker_processes(sandbox: Sandbox) -> list[int]:
    parent = sandbox.emulator.process.pid
    return [it.id for it in running_processes() if it.parent == parent and "thumbnailer.worker" in it.command]


@pytest.mark.guarantee("Loses no photo")
@pytest.mark.parametrize("value", _MAX_WORKERS, indirect=True)
def test_workers_scale_with_the_backlog_and_lose_no_photo_when_stopped(
    value: str, uploads: _Uploads, tmp_path: Path
) -> None:
    sandbox, workers = uploads.sandbox, thumbnail_consumer(uploads.sandbox)
    assert isinstance(workers, Workers)
    eventually(lambda: workers.describe()["runningCount"] == 0)
    with short_visibility_timeout(sandbox, seconds=5), workers.with_faults(hold=str(tmp_path)):
        uploads.upload({f"{value}/many/{number}.jpg": "rocket.jpg" for number in range(200)})
        eventually(lambda: workers.describe()["desiredCount"] == _MAX_WORKERS[value])
        eventually(lambda: len([*tmp_path.iterdir()]) == _MAX_WORKERS[value])  # All of them process photos.
        first, second, *_ = (int(file.name) for file in tmp_path.iterdir())
        os.kill(first, signal.SIGKILL)
        os.kill(second, signal.SIGTERM)
        (tmp_path / "continue").touch()
        assert uploads.problems() == []
        eventually(lambda: workers.describe()["desiredCount"] == 0)
        eventually(lambda: not _worker_processes(sandbox))


@pytest.mark.guarantee("Leaves nothing behind")
def test_switch_back_deletes_the_workers_and_destroy_leaves_nothing_behind(
    pair: Sandbox, uploads: _Uploads, initial_inventory: set[str]
) -> None:
    _switch(uploads, "lambda")
    assert thumbnail_consumer(pair).compute == "lambda"
    assert uploads.problems() == []
    assert "Workers" not in stack_states(pair)
    run = run_operation(pair, "destroy", "--yes")
    assert run.returncode == 0, run.stderr
    assert {it for it in inventory(pair.client) - initial_inventory if "AWSServiceRoleFor" not in it} == set()
