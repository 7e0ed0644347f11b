"""The options of `make cost`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from operations.__main__ import argument_parser
from operations.cost import command
from operations.errors import OperationError


@pytest.fixture
def run(assembly: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a function that runs the command with options, and returns its output."""
    monkeypatch.setattr(command, "synthesize", lambda *_: SimpleNamespace(folder=assembly))

    def run(*options: str, **settings: str) -> str:
        command.print_cost(settings, argument_parser().parse_args(["cost", *options]))
        return capsys.readouterr().out

    return run


def test_cost_without_photos_is_the_idle_cost(run: Callable[..., str]) -> None:
    output = run()
    assert "per hour while idle" in output
    assert "per 1,000 photos" not in output
    assert run("--photos", "") == output  # an empty variable of make


@pytest.mark.parametrize("photos", ["1000000", "1_000_000", "1,000,000", "1e6"])
def test_cost_with_photos_is_the_bill_of_a_month(run: Callable[..., str], photos: str) -> None:
    output = run("--photos", photos)
    assert all(text in output for text in ("API Gateway", "free tier", "total", "per 1,000 photos", "the floor"))
    assert "API Gateway" not in run("--photos", photos, "--upload", "s3")


@pytest.mark.parametrize("options", [(), ("--photos", "1000")])
def test_cost_until_the_expiry_is_printed(run: Callable[..., str], options: tuple[str, ...]) -> None:
    assert "until" not in run(*options)
    assert "while idle until 2100-01-01T00:00:00Z (" in run(*options, expires_at="2100-01-01T00:00:00Z")


_FULL_BILL = ("--photos", "10_000_000", "--albums", "10_000", "--page-views", "1e6", "--deletions", "1e6")


def test_bill_fits_into_a_common_terminal(run: Callable[..., str]) -> None:
    assert max(map(len, run(*_FULL_BILL).splitlines())) <= 100


@pytest.mark.parametrize("options", [(), _FULL_BILL])
def test_tables_fit_into_a_narrow_terminal(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch, options: Sequence[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    output = run(*options)
    assert max(map(len, output.splitlines())) <= 80
    assert "\x1b" not in output and "…" not in output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--albums", "3"], "ALBUMS needs PHOTOS, for example: make cost PHOTOS=1000000 ALBUMS=3"),
        (["--photos", "many"], "PHOTOS: 'many' is not allowed. Give a whole number from 0 to 1,000,000,000"),
        (["--photos", "-1"], "PHOTOS: '-1' is not allowed"),
        (["--photos", "1.5"], "PHOTOS: '1.5' is not allowed"),
        (["--photos", "nan"], "PHOTOS: 'nan' is not allowed"),
        (["--photos", "1", "--megapixels", "0"], "MEGAPIXELS: '0' is not allowed. Give a number from 0.1 to 100"),
        (["--photos", "1", "--bytes", "99e9"], "BYTES: '99e9' is not allowed"),
        (
            ["--photos", "1", "--album-photos", "5000"],
            "ALBUM_PHOTOS: '5000' is not allowed. Give a whole number from 1",
        ),
        (["--photos", "1", "--upload", "ftp"], "UPLOAD: 'ftp' is not allowed. Give api or s3"),
    ],
)
def test_invalid_option_is_one_line_that_names_it(run: Callable[..., str], options: list[str], message: str) -> None:
    with pytest.raises(OperationError) as error:
        run(*options)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
