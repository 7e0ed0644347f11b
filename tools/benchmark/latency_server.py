"""A local server that answers the calls of the thumbnail function to S3, DynamoDB, and SQS with regional latencies.

It runs in its own process. The standard output of the process is its URL, and the process ends with its standard input.
"""

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Final

_SLICE: Final = 2**18  # bytes that the server sends at a time


@dataclass(frozen=True)
class Latencies:
    """How long the server sleeps before it responds, in milliseconds.

    Attributes:
        get_ms: Until the first byte of an object.
        get_ms_per_mb: For each megabyte of an object.
        put_ms: To store or delete an object.
        head_ms: To check whether an object exists.
        dynamodb_ms: For a call to DynamoDB or SQS.
    """

    get_ms: float = 30
    get_ms_per_mb: float = 10
    put_ms: float = 25
    head_ms: float = 10
    dynamodb_ms: float = 6

    def __str__(self) -> str:
        return (
            f"GET {self.get_ms:g} ms + {self.get_ms_per_mb:g} ms/MB, PUT {self.put_ms:g} ms, HEAD {self.head_ms:g} ms, "
            f"DynamoDB {self.dynamodb_ms:g} ms"
        )


class LatencyServer(ThreadingHTTPServer):
    """Has one photo under every key of a bucket, and an empty table.

    So the photos are those that clients upload to S3 without registering them, which take the most calls.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, photo: bytes, latencies: Latencies) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.photo = photo
        self.etag = hashlib.md5(photo).hexdigest()
        self.latencies = latencies

    @property
    def url(self) -> str:
        """The endpoint of all services."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: LatencyServer
    protocol_version = "HTTP/1.1"  # keeps connections open
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        latencies, photo = self.server.latencies, self.server.photo
        sleep(latencies.get_ms / 1000)
        if self.headers["If-Match"] not in (None, f'"{self.server.etag}"'):
            self._respond(412)
            return
        start = monotonic()
        self._send_headers(200, len(photo))
        for sent in range(0, len(photo), _SLICE):
            part = photo[sent : sent + _SLICE]
            sleep(max(0, start + (sent + len(part)) / 1e6 * latencies.get_ms_per_mb / 1000 - monotonic()))
            self.wfile.write(part)

    def do_HEAD(self) -> None:
        sleep(self.server.latencies.head_ms / 1000)
        self._send_headers(200, len(self.server.photo))

    def do_PUT(self) -> None:
        self._read_body()
        sleep(self.server.latencies.put_ms / 1000)
        self._respond(200)

    def do_DELETE(self) -> None:
        sleep(self.server.latencies.put_ms / 1000)
        self._respond(204)

    def do_POST(self) -> None:
        self._read_body()
        sleep(self.server.latencies.dynamodb_ms / 1000)
        self._respond(200, b"{}")

    def _read_body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _respond(self, status: int, body: bytes = b"") -> None:
        self._send_headers(status, len(body))
        self.wfile.write(body)

    def _send_headers(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", f'"{self.server.etag}"')
        self.send_header("Last-Modified", format_datetime(datetime.now(UTC), usegmt=True))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    """Serve a photo with latencies until standard input closes."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark.latency_server", description=main.__doc__)
    parser.add_argument("photo", type=Path, help="file with the photo")
    parser.add_argument("latencies", type=json.loads, help="latencies by name, in milliseconds, as JSON")
    arguments = parser.parse_args()
    server = LatencyServer(arguments.photo.read_bytes(), Latencies(**arguments.latencies))
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.url, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
