"""The benchmark of the pipeline runs the real function, and fails if it makes no thumbnails."""

import http.client
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from threading import Thread
from time import perf_counter

import pytest

from tools.benchmark import BenchmarkError, __main__, measurements, pipeline
from tools.benchmark.latency_server import Latencies, LatencyServer
from tools.benchmark.results import PipelineResult, read_results

SAMPLES = Path(__file__).parents[3] / "samples"
NONE = Latencies(0, 0, 0, 0, 0)
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can bind the function to one core")


@linux
def test_every_batch_is_measured() -> None:
    results = pipeline.measure_batches(SAMPLES / "rocket.jpg", 0.3, batch=2, latencies=NONE, rounds=1)
    assert results[0].threads == 1
    for result in results:
        assert result.batch == 2
        assert result.billed_ms >= 1 and result.cpu_ms > 0 and result.peak_mib > 0


@linux
def test_photo_without_thumbnails_fails_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("This is not a photo.")
    with pytest.raises(BenchmarkError, match=r"^The pipeline cannot be measured: .* processed: rejected, [^\n]+$"):
        pipeline.measure_cold_start(tmp_path / "text.jpg", NONE, rounds=1)


@linux
def test_function_that_does_not_start_fails_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(measurements.FUNCTION_ENVIRONMENT, "CATALOGUE_TABLE")
    with pytest.raises(BenchmarkError, match=r"^The pipeline cannot be measured: KeyError: 'CATALOGUE_TABLE'$"):
        pipeline.measure_cold_start(SAMPLES / "rocket.jpg", NONE, rounds=1)


@pytest.fixture
def server() -> Iterator[LatencyServer]:
    with LatencyServer(bytes(10**6), NONE) as server:
        thread = Thread(target=server.serve_forever, args=[0.01])  # seconds until it notices its end
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("method", "slow"),
    [
        ("GET", {"get_ms": 50}),
        ("GET", {"get_ms_per_mb": 50}),
        ("HEAD", {"head_ms": 50}),
        ("PUT", {"put_ms": 50}),
        ("DELETE", {"put_ms": 50}),
        ("POST", {"dynamodb_ms": 50}),
    ],
)
def test_server_responds_after_its_latency(server: LatencyServer, method: str, slow: dict[str, float]) -> None:
    server.latencies = replace(NONE, **slow)
    with closing(http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)) as client:
        start = perf_counter()
        client.request(method, "/bucket/key", body="{}", headers={"X-Amz-Target": "DynamoDB_20120810.GetItem"})
        response = client.getresponse()
        response.read()
        assert response.status < 300
        assert perf_counter() - start >= 0.05


def test_server_has_only_the_upload_of_the_event(server: LatencyServer) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)) as client:
        client.request("GET", "/bucket/key", headers={"If-Match": '"other"'})
        assert client.getresponse().status == 412


@pytest.mark.parametrize(("arguments", "written"), [([], True), (["--get-ms", "60"], False)])
def test_results_with_other_latencies_are_not_written(
    arguments: list[str], written: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    results, page = read_results(), __main__.PAGE.read_text()
    for name in ("RESULTS", "PAGE"):
        monkeypatch.setattr(__main__, name, tmp_path / name)
    monkeypatch.setattr(__main__, "ROOT", tmp_path)
    __main__.PAGE.write_text(page)
    monkeypatch.setattr(__main__, "run_pipeline", lambda *_: results)
    monkeypatch.setattr("sys.argv", ["benchmark", "pipeline", *arguments])
    __main__.main()
    assert (tmp_path / "RESULTS").exists() == written


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--put-ms", "-1"], ["--megapixels", "0"]])
def test_invalid_options_fail_with_one_line(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["benchmark", "pipeline", *arguments])
    with pytest.raises(SystemExit):
        __main__.main()
    assert "error: --rounds must be" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(("billed_ms", "verdict"), [(140, "1.40 × ✓"), (141, "1.41 × ✗")])
def test_report_compares_the_ratio_with_the_target(billed_ms: float, verdict: str) -> None:
    one = PipelineResult(12, 4_600_000, 5, threads=1, billed_ms=250, cpu_ms=100, peak_mib=100, photos_per_second=4)
    rows = [asdict(one), asdict(replace(one, threads=3, billed_ms=billed_ms))]
    assert verdict in __main__.report_pipeline(json.loads(json.dumps(read_results() | {"pipeline": rows})))
