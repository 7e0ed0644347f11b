"""Every container image builds for arm64 and does its work there, as its own user.

buildah builds them without a daemon. No registry is needed: a Debian system with the Python of the base image stands in
for it, and pip installs wheels that this machine downloads. The real base image and ECS remain untested.
"""

import hashlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from aws_cdk.assertions import Template
from pypdf import PdfReader

from local.emulator import running_emulator
from local.extension.dockerfile import read_dockerfile
from local.ports import HOST, free_port
from photos.albums import Album, manifest_key, pdf_key
from photos.imaging import make_thumbnails
from photos.limits import SIZES
from photos.remake import Manifest
from stacks.support import deployment_package
from stacks.support.build_cache import build_once
from stacks.support.build_context import build_context
from tests.arm64.conftest import CACHE, CPU, require
from tests.containers.gallery.test_gallery import task_metadata
from tests.containers.test_dockerfiles import CONTAINERS, DOCKERFILES, instructions
from tests.e2e.eventually import eventually
from tests.lambda_src.conftest import create_resources
from tests.lambda_src.mocked_aws import CATALOGUE, ORIGINALS, THUMBNAILS, MockedAws
from tests.lambda_src.photos.images import encode, open_image, sample

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

pytestmark = pytest.mark.slow

_BINFMT = Path("/proc/sys/fs/binfmt_misc/qemu-aarch64")

# Compiling takes most of the time of pip under qemu.
_PIP_CONFIG = "[global]\nno-index = true\nfind-links = /wheels\nno-compile = true\nroot-user-action = ignore\n"


@dataclass(frozen=True)
class Buildah:
    """buildah with its own storage, so that layers are cached and no other image is visible."""

    run_folder: Path

    def command(self, *arguments: str | Path) -> list[str | Path]:
        # As root, buildah would leave mounts of its storage behind. Other users have a mount namespace in any case.
        namespace = ["unshare", "--mount"] if os.geteuid() == 0 else []
        storage: list[str | Path] = [
            "--root",
            CACHE / "images",
            "--runroot",
            self.run_folder,
            "--storage-driver",
            "overlay",
        ]
        return [*namespace, "env", "BUILDAH_ISOLATION=chroot", "buildah", *storage, *arguments]

    def __call__(self, *arguments: str | Path) -> str:
        """Run a command of buildah and return its output."""
        run = subprocess.run(self.command(*arguments), capture_output=True, text=True)
        assert run.returncode == 0, f"{arguments}\n{run.stdout}\n{run.stderr}"
        return run.stdout.strip()

    def run(self, container: str, *command: str, **environment: str) -> list[str | Path]:
        """Return the command that runs a program in a container, as its user and with this machine's network."""
        variables = (f"--env={name}={value}" for name, value in environment.items())
        return self.command("run", "--network=host", *variables, container, "--", *command)


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Buildah:
    require("buildah", "unshare")
    if not (_BINFMT.exists() and "F" in _BINFMT.read_text().partition("flags:")[2].splitlines()[0]):
        pytest.skip(f"programs for arm64 do not start: {_BINFMT} is missing or lacks the flag F (see .ci/run)")
    buildah = Buildah(tmp_path_factory.mktemp("buildah"))
    if (probe := subprocess.run(buildah.command("images"), capture_output=True, text=True)).returncode != 0:
        pytest.skip(f"buildah cannot use its storage: {probe.stderr.strip()}")
    return buildah


@pytest.fixture(scope="module")
def base_image(root: Path, buildah: Buildah) -> str:
    """An image with the Python of the base image."""
    sources = b"".join(file.read_bytes() for file in (Path(__file__), Path(__file__).with_name("conftest.py")))
    name = f"localhost/base:{hashlib.sha256(sources).hexdigest()[:16]}"
    if name in buildah("images", "--format", "{{.Name}}:{{.Tag}}").splitlines():
        return name
    (root / "usr/bin/python").symlink_to("python3.13")
    (root / "usr/lib/python3.13/EXTERNALLY-MANAGED").unlink(missing_ok=True)
    (root / "tmp").mkdir(mode=0o1777)
    # Installing `ca-certificates` would write this file.
    certificates = sorted((root / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    (root / "etc/ssl/certs").mkdir(parents=True, exist_ok=True)
    (root / "etc/ssl/certs/ca-certificates.crt").write_bytes(b"".join(map(Path.read_bytes, certificates)))
    container = buildah("from", "--arch=arm64", "scratch")
    buildah("add", "--quiet", container, root, "/")
    buildah("config", "--arch=arm64", "--os=linux", f"--env=QEMU_CPU={CPU}", container)
    buildah("commit", "--quiet", "--rm", container, name)
    return name


def _wheels(requirements: Path) -> Path:
    """Download the libraries of an image, because pip takes long under qemu."""

    def download(work: Path) -> None:
        options = deployment_package._PLATFORMS["aws"].pip_options
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", *options]
        command += ["--only-binary=:all:", "--dest", str(work), "--requirement", str(requirements)]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode != 0:
            pytest.skip(f"the libraries of {requirements} are not available: {run.stderr.strip()}")

    return build_once(CACHE / f"wheels-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]}", download)


@pytest.fixture(scope="module", params=[dockerfile.parent.name for dockerfile in DOCKERFILES])
def image(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def container(image: str, base_image: str, buildah: Buildah, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A container of an image that was built for arm64."""
    config = tmp_path_factory.mktemp("pip") / "pip.conf"
    config.write_text(_PIP_CONFIG)
    wheels = _wheels(CONTAINERS / image / "requirements.txt")
    mounts = (f"--volume={wheels}:/wheels:ro", f"--volume={config}:/etc/pip.conf:ro")
    options = ("--quiet", "--layers", "--pull-never", "--arch=arm64", "--network=none", "--format=docker")
    name = f"localhost/{image}"
    buildah("bud", *options, *mounts, f"--build-arg=BASE_IMAGE={base_image}", f"--tag={name}", build_context(image))
    container = buildah("from", "--pull-never", name)
    yield container
    buildah("rm", container)


@contextmanager
def _running(command: list[str | Path]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, and end it with all its processes."""
    process = subprocess.Popen(command, start_new_session=True)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # if it could not start
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@dataclass(frozen=True)
class Account:
    """An account in the emulator.

    Attributes:
        aws: The buckets and the table of the service.
        sqs: A client.
        environment: Variables for a program in a container.
    """

    aws: MockedAws
    sqs: "SQSClient"
    environment: dict[str, str]


@contextmanager
def _account(template: Callable[[str], Template]) -> Iterator[Account]:
    with running_emulator() as emulator, pytest.MonkeyPatch.context() as patch:
        environment = emulator.client_environment()
        for name, value in environment.items():
            patch.setenv(name, value)
        session = boto3.Session()
        aws = create_resources(session.client("s3"), session.client("dynamodb"), template("Thumbnails"))
        names = {"ORIGINALS_BUCKET": ORIGINALS, "THUMBNAILS_BUCKET": THUMBNAILS, "CATALOGUE_TABLE": CATALOGUE}
        yield Account(aws, session.client("sqs"), environment | names)


def _serve_page(buildah: Buildah, container: str, _template: Callable[[str], Template]) -> str:
    port = str(free_port())
    task = {"LaunchType": "FARGATE", "TaskARN": "task/cluster/0123abcd", "AvailabilityZone": "us-east-1a"}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(path: str) -> bytes:
        with opener.open(f"http://{HOST}:{port}/{path}", timeout=10) as response:
            content: bytes = response.read()
        return content

    with task_metadata(task) as endpoint:
        program = read_dockerfile(CONTAINERS / "gallery").command
        environment = {"HOST": HOST, "PORT": port, "ECS_CONTAINER_METADATA_URI_V4": endpoint}
        with _running(buildah.run(container, *program, **environment)) as server:
            while True:
                assert server.poll() is None
                try:
                    get("health")
                    break
                except OSError:
                    time.sleep(0.1)
            assert b"<h1>Other Compute</h1>" in get("")
            assert json.loads(get("whoami")) == {"launch_type": "FARGATE", "task": "0123abcd", "zone": "us-east-1a"}
    return "served the gallery page and /whoami"


def _make_album(buildah: Buildah, container: str, template: Callable[[str], Template]) -> str:
    with _account(template) as account:
        aws = account.aws
        aws.process("rocket.jpg", (CONTAINERS.parent / "samples/rocket.jpg").read_bytes())
        album = Album("a-1", "Ürlaub", "2026-11-24T10:00:00.000Z", ("rocket.jpg", "deleted.jpg"))
        aws.s3.put_object(Bucket=THUMBNAILS, Key=manifest_key(album.id), Body=album.to_json())
        for step in ("page", "bind"):
            command = buildah.run(container, "python", "-m", "album", step, album.id, **account.environment)
            run = subprocess.run(command, capture_output=True, text=True)
            assert run.returncode == 0, run.stderr
        (page,) = PdfReader(BytesIO(aws.thumbnails()[pdf_key(album.id)]), strict=True).pages
        assert page.images[0].image
    return "rendered a page of an album and bound it"


@contextmanager
def _runtime_api(event: object) -> Iterator[tuple[str, queue.SimpleQueue[bytes]]]:
    """Serve one event as the Runtime API of Lambda. Yields its address and what the function answers."""
    events: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    events.put(json.dumps(event).encode())
    answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, events.get())  # the second call waits, as in Lambda

        def do_POST(self) -> None:
            answers.put(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(202, b"{}")

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            # The client crashes without any of these, which Lambda always sends.
            self.send_header("Content-Type", "application/json")
            self.send_header("Lambda-Runtime-Aws-Request-Id", "request-1")
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:111122223333:function:f")
            self.send_header("Lambda-Runtime-Trace-Id", "Root=1-0-0")
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() + 900) * 1000))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"{HOST}:{server.server_port}", answers
    events.put(b"{}")
    server.shutdown()
    server.server_close()


def _make_thumbnails(buildah: Buildah, container: str, template: Callable[[str], Template]) -> str:
    photo = open_image(sample("coffee-turned.jpg")).convert("RGB")
    photos = {"JPEG": sample("retina.jpg"), "AVIF": encode(photo, "AVIF"), "HEIC": sample("coffee-turned.heic")}
    with _account(template) as account:
        aws, sqs = account.aws, account.sqs
        url = sqs.create_queue(QueueName="uploads")["QueueUrl"]
        environment = {**account.environment, "UPLOAD_QUEUE_URL": url, "RETRY_SECONDS": "600"}

        def upload(folder: str) -> list[str]:
            """Upload the photos to a folder. Returns the S3 events."""
            bodies = []
            for name, body in photos.items():
                key = f"{folder}/{name}"
                s3_object = {"key": key, "eTag": aws.put(key, body), "sequencer": "01"}
                event = {"eventName": "ObjectCreated:Put", "s3": {"object": s3_object}}
                bodies.append(json.dumps({"Records": [event]}))
            return bodies

        for body in upload("worker"):
            sqs.send_message(QueueUrl=url, MessageBody=body)
        with _running(buildah.run(container, *read_dockerfile(CONTAINERS / "thumbnailer").command, **environment)):
            eventually(lambda: len(aws.items()) == len(photos))

        records = [
            {
                "messageId": body,
                "receiptHandle": "h",
                "attributes": {"ApproximateReceiveCount": "1"},
                "body": body,
            }
            for body in upload("function")
        ]
        with _runtime_api({"Records": records}) as (address, answers):
            function = {"AWS_LAMBDA_RUNTIME_API": address, "AWS_LAMBDA_LOG_FORMAT": "JSON"}
            command = ("python", "-m", "awslambdaric", "thumbnail.handler.handler")
            with _running(buildah.run(container, *command, **environment, **function)):
                assert json.loads(answers.get(timeout=120)) == {"batchItemFailures": []}

        upload("remake")
        manifest = "remakes/1.json"
        aws.s3.put_object(Bucket=THUMBNAILS, Key=manifest, Body=Manifest(("function/",), 2 * len(photos)).to_json())
        remake = buildah.run(container, "python", "-m", "thumbnailer.remake", manifest, **environment)
        assert subprocess.run(remake).returncode == 0
        aws.s3.delete_object(Bucket=THUMBNAILS, Key=manifest)

        made, expected = aws.thumbnails(), dict[str, bytes]()
        for key, item in aws.items().items():
            thumbnails = make_thumbnails(photos[key.partition("/")[2]])
            expected |= {item["thumbnails"][str(size)]: webp for size, webp in thumbnails.items()}
        assert made == expected, "the same bytes as on this machine"
        assert len(made) == 3 * len(photos) * len(SIZES)
    return "made thumbnails of JPEG, AVIF, and HEIC as worker, function, and job, with the same bytes as x86_64"


# What each image does.
_WORK = {"album": _make_album, "gallery": _serve_page, "thumbnailer": _make_thumbnails}


def test_image_does_its_work_on_arm64_as_its_own_user(
    image: str,
    container: str,
    buildah: Buildah,
    template: Callable[[str], Template],
    record_property: Callable[[str, object], None],
) -> None:
    program = "import os; print(os.uname().machine, os.getuid())"
    run = subprocess.run(buildah.run(container, "python", "-c", program), capture_output=True, text=True)
    user = instructions(CONTAINERS / image / "Dockerfile", "USER")[-1].partition(":")[0]
    assert run.stdout.split() == ["aarch64", user], run.stderr
    record_property("arm64", f"{image}: image built; as user {user}, it {_WORK[image](buildah, container, template)}")
