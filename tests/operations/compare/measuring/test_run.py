"""The comparison runs each option on a deployment of its own, and stops at the first wrong photo."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_cdk.assertions import Template

from local.deployment import Deployment
from local.emulator import ROOT
from operations.compare.measurement import OPTIONS, Measurement, Option, Target
from operations.compare.measuring import run
from operations.compare.measuring.files import File, count_kinds, make_files
from operations.errors import OperationError
from photos.event_ordering import Upload
from photos.limits import SIZES
from stacks.support.settings import ThumbnailsOn
from tests.lambda_src.conftest import mocked_aws
from tests.lambda_src.mocked_aws import CATALOGUE, ORIGINALS, THUMBNAILS, MockedAws
from tests.lambda_src.photos.images import sample

_FILES = {
    "a": File("JPEG", sample("coffee-turned.jpg")),
    "b": File("JPEG", sample("coffee-turned.jpg")),
    "c": File("text", b"This is not a photo.", "not_a_photo"),
}
_OUTPUTS = {"OriginalsBucket": ORIGINALS, "ThumbnailsBucket": THUMBNAILS, "CatalogueTable": CATALOGUE}


@dataclass
class _StubDeployment(Deployment):
    """Buckets and a table, and a consumer that processes each upload once, whenever the catalogue is read."""

    aws: MockedAws
    lost: str | None = None  # key of a photo that it does not process
    processed: set[str] = field(default_factory=set)

    def client(self, service: str) -> Any:
        return {"s3": self.aws.s3, "dynamodb": self.aws.dynamodb}[service]

    def stack_name(self, stack: str) -> str:
        return f"annas-{stack}"

    def table_items(self, table: str) -> list[dict[str, Any]]:
        for entry in self.aws.s3.list_objects_v2(Bucket=ORIGINALS).get("Contents", []):
            if entry["Key"] not in self.processed | {self.lost}:
                self.aws.thumbnailer.process_upload(entry["Key"], Upload(entry["ETag"].strip('"'), "01"))
                self.processed.add(entry["Key"])
        return super().table_items(table)


class _StubTarget:
    """Records what runs. A test can change how the deployment of an option works."""

    machine = "stub"
    patience = -1.0  # stops at once if something is missing

    def __init__(self, template: Template, target: Target = "sandbox") -> None:
        self.target = target
        self.deployments: list[tuple[ThumbnailsOn, tuple[str, ...]]] = []
        self.destroyed = 0
        self.started: list[Option] = []
        self.change: Callable[[ThumbnailsOn, _StubDeployment], object] = lambda value, deployment: None
        self.current: _StubDeployment
        self._template = template

    @contextmanager
    def deployed(self, value: ThumbnailsOn, stacks: tuple[str, ...]) -> Iterator[_StubDeployment]:
        self.deployments.append((value, stacks))
        with mocked_aws(self._template) as aws:
            self.current = _StubDeployment(aws, outputs={"Thumbnails": _OUTPUTS})
            self.change(value, self.current)
            try:
                yield self.current
            finally:
                self.destroyed += 1

    def start(self, option: Option, deployment: Deployment) -> None:
        self.started.append(option)

    def measure(self, option: Option, deployment: Deployment, photos: int) -> dict[str, Any]:
        return {"calls_per_photo": {f"s3:{option}": photos}}

    def environment(self, deployment: Deployment) -> Mapping[str, str]:
        return {"TARGET": "stub"}


@pytest.fixture
def target(template: Callable[[str], Template], monkeypatch: pytest.MonkeyPatch) -> _StubTarget:
    """A target on which `make remake` works, and a small set of files."""
    monkeypatch.setattr(run, "make_files", lambda count: dict(list(_FILES.items())[:count]))
    monkeypatch.setattr(run, "wait_until_idle", lambda *_, **__: None)
    stub = _StubTarget(template("Thumbnails"))

    def remake(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        assert command[1:] == ["-m", "operations", "-c", "name=annas", "remake"]
        assert options == {"cwd": ROOT, "env": {"TARGET": "stub"}}
        assert not stub.current.aws.thumbnails() and not stub.current.aws.items()
        stub.current.processed.clear()
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", remake)
    return stub


def test_every_option_processes_the_same_files_on_its_own_deployment(target: _StubTarget) -> None:
    comparison = run.compare(target, len(_FILES))
    assert target.deployments == [
        ("lambda", ("Thumbnails", "Batch")),
        ("lambda-image", ("Thumbnails",)),
        ("fargate", ("Workers",)),
        ("ec2", ("Workers",)),
    ]
    assert target.destroyed == 4
    assert target.started == ["lambda", "remake", "lambda-image", "fargate", "ec2"]
    assert comparison.measurements == {
        option: Measurement(
            option=option, ready=2, rejected=1, thumbnails=2 * len(SIZES), calls_per_photo={f"s3:{option}": 3}
        )
        for option in OPTIONS
    }
    assert (comparison.files, comparison.photos) == ({"JPEG": 2, "text": 1}, 3)
    assert comparison.bytes_per_photo > 0


def test_account_measures_the_times_to_the_first_and_last_thumbnail(target: _StubTarget) -> None:
    target.target = "account"
    for measured in run.compare(target, len(_FILES)).measurements.values():
        assert measured.seconds_to_first is not None and measured.seconds_to_last is not None
        assert 0 <= measured.seconds_to_first <= measured.seconds_to_last


@pytest.mark.parametrize("pending", [False, True])
def test_missing_photo_stops_the_comparison(target: _StubTarget, pending: bool) -> None:
    def lose(value: ThumbnailsOn, deployment: _StubDeployment) -> None:
        if value == "fargate":
            deployment.lost = "b"
            if pending:
                deployment.aws.catalogue.register("b", registered_at=datetime.now(UTC))

    target.change = lose
    with pytest.raises(OperationError, match=r"^fargate: photo b \(JPEG\): missing.*\(2 of 3 files"):
        run.compare(target, len(_FILES))
    assert (len(target.deployments), target.destroyed) == (3, 3)


def test_differing_thumbnail_stops_the_comparison(target: _StubTarget) -> None:
    def encode_otherwise(value: ThumbnailsOn, deployment: _StubDeployment) -> None:
        if value == "ec2":
            make = deployment.aws.thumbnailer._make_thumbnails
            deployment.aws.thumbnailer._make_thumbnails = lambda *it: {s: w + b"\0" for s, w in make(*it).items()}

    target.change = encode_otherwise
    with pytest.raises(OperationError, match=rf"^ec2: photo a \(JPEG\): .*{min(SIZES)} pixels.*by lambda, photo a"):
        run.compare(target, len(_FILES))


def test_failed_remake_stops_the_comparison(target: _StubTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1))
    with pytest.raises(OperationError, match=r"^remake: the command failed"):
        run.compare(target, 1)
    assert target.destroyed == 1


def test_files_are_the_same_in_each_run_and_contain_every_kind() -> None:
    files = make_files(60)
    assert list(make_files(12).items()) == list(files.items())[:12]
    kinds = count_kinds(files)
    assert sum(kinds.values()) == 60
    assert kinds["HEIC of 48 megapixels"] == 1
    formats = {kind.partition(" of ")[0] for kind in kinds}
    assert formats >= {"JPEG", "HEIC", "PNG", "WebP", "AVIF", "GIF", "TIFF", "BMP"}
    assert {file.code for file in files.values()} == {None, "empty", "not_a_photo", "broken", "too_many_pixels"}
