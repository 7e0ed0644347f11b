"""The decoder process limits each photo, survives hostile ones, and rejects a photo only for what the photo does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Timer
from typing import Any

import pytest
from PIL import Image

from photos.decoder_process import DecoderFailed, DecoderProcess
from photos.errors import PhotoRejected
from photos.imaging import make_thumbnails
from photos.limits import MAX_BYTES, MAX_CPU_SECONDS
from tests.lambda_src.photos import hostile
from tests.lambda_src.photos.images import encode, four_corners, sample
from tests.lambda_src.photos.measured_decoder import MeasuredDecoder

JPEG = encode(four_corners(), "JPEG")
SLOW = encode(Image.new("RGB", (7_000, 7_000)), "TIFF", compression="tiff_lzw")
LARGE = encode(four_corners(6_000, 4_000), "PNG")  # its pixels take 69 MiB

# Found by the fuzz test: pi-heif 1.4.0 assumes that the type of an item is valid UTF-8.
CRASHING = sample("coffee-turned.heic").replace(b"Exif\0\0\0\0\x0epitm", b"\xff\x10\x02\x02\0\0\0\0\x0epitm")

# A decoder process that fails if it answers while the CPU time of the photo is limited.
CHECKED = """
import signal
from photos import decoder
write = decoder.write_message
def checked(*message):
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)
    write(*message)
decoder.write_message = checked
decoder.main()
"""

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the address space")


@pytest.fixture
def decoder() -> Iterator[DecoderProcess]:
    with DecoderProcess() as decoder:
        yield decoder


def code_of(decoder: DecoderProcess, photo: bytes) -> str:
    with pytest.raises(PhotoRejected) as rejected:
        decoder.make_thumbnails(photo)
    return rejected.value.code


@pytest.mark.parametrize("name", ["chelsea.png", "rocket.jpg", "rocket-tiles.heic"])
def test_thumbnails_are_those_of_imaging(decoder: DecoderProcess, name: str) -> None:
    assert decoder.make_thumbnails(sample(name)) == make_thumbnails(sample(name))
    assert decoder.make_thumbnails(sample(name), [64]) == make_thumbnails(sample(name), [64])


@pytest.mark.parametrize(
    ("photo", "code"),
    [(b"", "empty"), (b"text", "not_a_photo"), (JPEG[:-500], "broken"), (bytes(MAX_BYTES + 1), "too_many_bytes")],
)
def test_rejections_are_those_of_imaging(decoder: DecoderProcess, photo: bytes, code: str) -> None:
    assert code_of(decoder, photo) == code
    assert decoder.make_thumbnails(JPEG)


def test_shorter_photo_after_a_longer_one_is_decoded_alone(decoder: DecoderProcess) -> None:
    decoder.make_thumbnails(LARGE)
    assert code_of(decoder, JPEG[:100]) == "broken"


def test_photo_over_the_cpu_limit_is_rejected_and_the_next_one_is_not() -> None:
    with DecoderProcess(cpu_seconds=0.25) as decoder:
        assert code_of(decoder, SLOW) == "too_slow"
        assert decoder.make_thumbnails(JPEG)


@pytest.mark.parametrize("name", hostile.FILES)
def test_hostile_file_exceeds_no_limit(name: str) -> None:
    verdict, generate = hostile.FILES[name]
    photo = generate()
    own_cpu_seconds = time.process_time()
    with MeasuredDecoder() as decoder:
        measured = decoder.measure(photo)
        own_cpu_seconds = time.process_time() - own_cpu_seconds
        assert decoder.make_thumbnails(JPEG)
    assert measured.verdict == verdict
    assert measured.cpu_seconds < MAX_CPU_SECONDS / 4  # most are rejected before a decoder sees them
    assert own_cpu_seconds < 0.5  # it only copies the file
    assert measured.memory < 250 * 2**20


def test_cpu_time_of_earlier_photos_does_not_count() -> None:
    with DecoderProcess(cpu_seconds=0.5) as decoder:
        for _ in range(30):
            decoder.make_thumbnails(sample("rocket.jpg"))


def test_limit_ends_before_the_answer_so_that_it_cannot_count_against_the_next_photo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("photos.decoder_process._COMMAND", (sys.executable, "-S", "-c", CHECKED))
    with DecoderProcess() as decoder:
        assert decoder.make_thumbnails(JPEG)
        assert code_of(decoder, JPEG[:100]) == "broken"


@linux_only
def test_photo_over_the_memory_limit_is_rejected_and_the_next_one_is_not() -> None:
    with DecoderProcess(address_space=160 * 2**20) as decoder:
        assert code_of(decoder, LARGE) == "too_much_memory"
        assert decoder.make_thumbnails(JPEG)
    with DecoderProcess(address_space=400 * 2**20) as decoder:
        assert decoder.make_thumbnails(LARGE)


@linux_only
def test_memory_that_an_earlier_photo_used_up_does_not_count_against_the_next_one(decoder: DecoderProcess) -> None:
    import resource

    decoder.make_thumbnails(JPEG)
    resource.prlimit(decoder._process.pid, resource.RLIMIT_AS, (60 * 2**20, 60 * 2**20))  # as if it had lost the rest
    assert decoder.make_thumbnails(LARGE)


def test_photo_that_crashes_its_decoder_is_rejected_and_the_next_one_is_not(decoder: DecoderProcess) -> None:
    assert code_of(decoder, CRASHING) == "broken"
    assert decoder.make_thumbnails(JPEG)


@pytest.mark.parametrize("crash", [signal.SIGSEGV, signal.SIGABRT])
def test_crash_that_an_earlier_photo_caused_does_not_count_against_the_next_one(crash: signal.Signals) -> None:
    with DecoderProcess() as decoder:
        decoder.make_thumbnails(JPEG)
        process = decoder._process.pid
        os.kill(process, signal.SIGSTOP)
        os.waitpid(process, os.WUNTRACED)  # until it has stopped
        os.kill(process, crash)  # takes effect when the process continues
        Timer(0.2, os.kill, (process, signal.SIGCONT)).start()
        assert decoder.make_thumbnails(JPEG)


def test_process_that_someone_stopped_between_photos_is_replaced(decoder: DecoderProcess) -> None:
    decoder.make_thumbnails(JPEG)
    os.kill(decoder._process.pid, signal.SIGKILL)
    decoder._process.wait()
    assert decoder.make_thumbnails(JPEG)


def test_process_that_waits_is_stopped_without_a_verdict() -> None:
    with DecoderProcess(elapsed_seconds=0.2) as decoder:
        os.kill(decoder._process.pid, signal.SIGSTOP)
        with pytest.raises(DecoderFailed):
            decoder.make_thumbnails(JPEG)


def test_error_of_our_own_code_is_no_rejection(decoder: DecoderProcess) -> None:
    with pytest.raises(DecoderFailed, match="ValueError"):
        decoder.make_thumbnails(JPEG, [])
    assert decoder.make_thumbnails(JPEG)


def test_process_without_libraries_is_no_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [path for path in sys.path if "site-packages" not in path])
    with DecoderProcess() as decoder, pytest.raises(DecoderFailed, match="exit status 1"):
        decoder.make_thumbnails(JPEG)


@linux_only
def test_process_inherits_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with DecoderProcess() as decoder:
        decoder.make_thumbnails(JPEG)
        with open(f"/proc/{decoder._process.pid}/environ", "rb") as environment:
            assert b"AWS_" not in environment.read()


def test_threads_share_the_process_and_each_receives_the_verdict_on_its_own_photo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some photos end the process, so that it is replaced while other threads wait for it or for its answer."""
    started: list[subprocess.Popen[bytes]] = []

    class RecordedPopen(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            started.append(self)

    def judge(photo: bytes) -> dict[int, bytes] | str:
        try:
            return shared.make_thumbnails(photo)
        except PhotoRejected as rejection:
            return rejection.code

    monkeypatch.setattr("subprocess.Popen", RecordedPopen)
    good = {name: make_thumbnails(sample(name)) for name in ("chelsea.png", "rocket.jpg")}
    photos = [(sample(name), thumbnails) for name, thumbnails in good.items()]
    judged = [*photos, (CRASHING, "broken"), *photos, (SLOW, "too_slow"), (b"text", "not_a_photo")] * 2
    before = len(os.listdir("/dev/fd"))
    with DecoderProcess(cpu_seconds=0.25, elapsed_seconds=20) as shared, ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(judge, (photo for photo, _ in judged), timeout=120))
    assert verdicts == [verdict for _, verdict in judged]
    assert len(started) > 4
    assert None not in [process.returncode for process in started]
    assert len(os.listdir("/dev/fd")) == before


def test_photo_that_cannot_start_in_time_fails_and_the_next_one_does_not(decoder: DecoderProcess) -> None:
    os.kill(decoder._process.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(decoder.make_thumbnails, JPEG)
        while not decoder._lock.locked():
            assert not first.done()
        decoder.start_until = time.monotonic() + 0.1
        with pytest.raises(TimeoutError):
            decoder.make_thumbnails(JPEG)
        os.kill(decoder._process.pid, signal.SIGCONT)
        assert first.result(60)
    decoder.start_until = time.monotonic() + 60
    assert decoder.make_thumbnails(JPEG)


def test_closed_process_leaves_nothing_open() -> None:
    before = len(os.listdir("/dev/fd"))
    with DecoderProcess(cpu_seconds=0.25) as decoder:
        code_of(decoder, SLOW)
        decoder.make_thumbnails(JPEG)
    assert len(os.listdir("/dev/fd")) == before
