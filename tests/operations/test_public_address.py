"""One's own address, as someone else sees it."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from operations.errors import OperationError
from operations.public_address import detect_public_cidr


@pytest.fixture
def answering() -> Iterator[Callable[..., str]]:
    """Starts a server on this machine that answers with this text; its URL."""
    servers: list[HTTPServer] = []

    def start(text: bytes, status: int = 200) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_address_that_was_answered_and_no_other(answering: Callable[..., str]) -> None:
    assert detect_public_cidr(answering(b"9.9.9.9\n")) == "9.9.9.9/32"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"2001:db8::1", "answered '2001:db8::1'"),
        (b"<html>Log in to this network</html>", "answered '<html>Log in"),
        (b"", "answered ''"),
        (b"\xff\xfe", "answered "),
        (b"10.1.2.3", "10.1.2.3, a private address"),
    ],
)
def test_no_public_ipv4_address_is_told_in_one_line(answering: Callable[..., str], answer: bytes, why: str) -> None:
    with pytest.raises(OperationError) as error:
        detect_public_cidr(answering(answer))
    assert why in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert str(error.value).endswith("Give it yourself: make deploy allowed_cidr=203.0.113.7/32")


def test_a_fault_of_the_server_is_told_in_one_line(answering: Callable[..., str]) -> None:
    with pytest.raises(OperationError, match=r"cannot be reached .*503"):
        detect_public_cidr(answering(b"9.9.9.9", status=503))


def test_no_answer_is_told_in_one_line() -> None:
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # to get a port that is free
    server.server_close()
    with pytest.raises(OperationError, match=r"^Your address is not known, as .* cannot be reached .*"):
        detect_public_cidr(f"http://127.0.0.1:{server.server_port}")


def test_no_url_is_told_in_one_line() -> None:
    with pytest.raises(OperationError, match="cannot be reached"):
        detect_public_cidr("checkip")
