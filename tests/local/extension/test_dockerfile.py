"""The environment and the command that a Dockerfile defines."""

from pathlib import Path

import pytest

from local.extension.dockerfile import Dockerfile, read_dockerfile


def read(folder: Path, text: str) -> Dockerfile:
    (folder / "Dockerfile").write_text(text)
    return read_dockerfile(folder)


def test_read_dockerfile_returns_the_last_stage_only(tmp_path: Path) -> None:
    text = """
FROM base AS libraries
ENV OLD=1
CMD ["old"]

FROM base
# ENV COMMENT=1
ENV ONE=1 \\
    # in the middle
    TWO="two words"
ENTRYPOINT ["python", "-m", "album"]
CMD ["--help"]
"""
    expected = Dockerfile({"ONE": "1", "TWO": "two words"}, ("python", "-m", "album"), ("--help",))
    assert read(tmp_path, text) == expected


def test_read_dockerfile_omits_paths_of_the_image(tmp_path: Path) -> None:
    text = "FROM base\nENV PATH=/opt/bin:$PATH PYTHONPATH=/libraries KEPT=1\n"
    assert read(tmp_path, text).environment == {"KEPT": "1"}


def test_read_dockerfile_rejects_a_command_in_shell_form(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'CMD python program.py: expected a list such as \["python"'):
        read(tmp_path, "FROM base\nCMD python program.py\n")
