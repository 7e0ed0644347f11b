"""Dropping the scans that 1/8 cannot show changes no pixel, whichever encoder chose the scans."""

import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from photos.errors import PhotoRejected
from photos.jpeg_scans import MAX_SCANS, check_scans, needs_all_scans, without_hidden_scans
from tests.lambda_src.photos.images import four_corners, opened, photo, saved

SCRIPTS = {  # in the language of `jpegtran -scans`
    "plain": "0,1,2: 0-0, 0, 0; 0: 1-63, 0, 0; 1: 1-63, 0, 0; 2: 1-63, 0, 0;",
    "colour first": "0,1,2: 0-0, 0, 0; 2: 1-63, 0, 0; 1: 1-63, 0, 0; 0: 1-8, 0, 0; 0: 9-63, 0, 0;",
    "one by one": "0: 0-0, 0, 0; 1: 0-0, 0, 0; 2: 0-0, 0, 0; 0: 1-63, 0, 0; 1: 1-63, 0, 0; 2: 1-63, 0, 0;",
    "late means": "0,1,2: 0-0, 0, 3; 0: 1-63, 0, 0; 1: 1-63, 0, 0; 2: 1-63, 0, 0; 0,1,2: 0-0, 3, 2; "
    "0,1,2: 0-0, 2, 1; 0,1,2: 0-0, 1, 0;",
    "many refinements": "0,1,2: 0-0, 0, 1; 0: 1-5, 0, 3; 0: 6-63, 0, 3; 1: 1-63, 0, 2; 2: 1-63, 0, 2; "
    "0: 1-63, 3, 2; 0: 1-63, 2, 1; 1: 1-63, 2, 1; 2: 1-63, 2, 1; 0,1,2: 0-0, 1, 0; 0: 1-63, 1, 0; "
    "1: 1-63, 1, 0; 2: 1-63, 1, 0;",
    "detail never complete": "0,1,2: 0-0, 0, 0; 0: 1-5, 0, 2; 1: 1-63, 0, 1; 2: 1-63, 0, 1;",
    "fine detail first": "0,1,2: 0-0, 0, 0; 0: 30-63, 0, 0; 0: 1-29, 0, 0; 1: 1-63, 0, 0; 2: 1-63, 0, 0;",
    "fine detail only": "0,1,2: 0-0, 0, 0; 0: 30-63, 0, 0; 1: 1-63, 0, 0; 2: 1-63, 0, 0;",
    "no detail": "0,1,2: 0-0, 0, 0;",
}


def any_script(random: Random) -> str:
    """Scans as no encoder would choose them: any bands, in any order and depth that the standard allows."""
    means = [f"0,1,2: 0-0, {high}, {low};" for high, low in _passes(random)]
    waiting = [means[1:]]
    for component in range(3):
        edges = [1, *sorted(random.sample(range(2, 64), random.randint(0, 4))), 64]
        waiting += [
            [f"{component}: {first}-{behind - 1}, {high}, {low};" for high, low in _passes(random)]
            for first, behind in pairwise(edges)
        ]
    scans = means[:1]
    while waiting := [band for band in waiting if band]:
        scans.append(random.choice(waiting).pop(0))
    return " ".join(scans[: random.choice([len(scans), random.randint(1, len(scans))])])


def _passes(random: Random) -> list[tuple[int, int]]:
    """The bits that each pass over a band brings: first those above some bit, then one by one."""
    lowest = random.randint(0, 3)
    return [(0, lowest), *((bit, bit - 1) for bit in range(lowest, 0, -1))]


def at_an_eighth(jpeg: bytes) -> bytes:
    image = Image.open(BytesIO(jpeg))
    image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
    return image.tobytes()


def assert_nothing_is_seen(jpeg: bytes) -> None:
    assert at_an_eighth(without_hidden_scans(jpeg)) == at_an_eighth(jpeg)


@pytest.mark.parametrize("size", [(640, 427), (1024, 768), (641, 17), (8, 8), (1, 1), (2_001, 1_501)])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0", "4:1:1"])
@pytest.mark.parametrize("quality", [30, 90])
def test_pillow_colour(size: tuple[int, int], subsampling: str, quality: int) -> None:
    image = opened(photo("rocket.jpg")).resize(size)
    jpeg = saved(image, "JPEG", progressive=True, quality=quality, subsampling=subsampling)
    assert len(without_hidden_scans(jpeg)) < len(jpeg) or max(size) < 20
    assert_nothing_is_seen(jpeg)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_pillow_gray_and_cmyk(mode: str) -> None:
    jpeg = saved(opened(photo("rocket.jpg")).convert(mode), "JPEG", progressive=True)
    assert len(without_hidden_scans(jpeg)) < len(jpeg) / 2
    assert_nothing_is_seen(jpeg)


def test_jpegs_stored_as_rgb() -> None:
    assert_nothing_is_seen(saved(opened(photo("rocket.jpg")), "JPEG", progressive=True, keep_rgb=True))


@pytest.mark.parametrize("name", ["rocket.jpg", "retina.jpg", "coffee-turned.jpg"])
def test_mozjpeg(name: str) -> None:
    mozjpeg = pytest.importorskip("mozjpeg_lossless_optimization", reason="mozjpeg's scan scripts need its package")
    jpeg = mozjpeg.optimize(photo(name))
    assert needs_all_scans(jpeg)
    assert_nothing_is_seen(jpeg)


@pytest.fixture
def with_script(tmp_path: Path) -> Callable[[str, str], bytes]:
    """The photograph of this name, with these scans."""
    jpegtran = shutil.which("jpegtran")
    if not jpegtran:
        pytest.skip("jpegtran is not installed (Debian: libjpeg-turbo-progs)")

    def with_script(name: str, script: str) -> bytes:
        (tmp_path / "scans").write_text(script)
        run = [jpegtran, "-scans", str(tmp_path / "scans")]
        return subprocess.run(run, input=photo(name), capture_output=True, check=True).stdout

    return with_script


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_of_every_kind(script: str, with_script: Callable[[str, str], bytes]) -> None:
    for name in ("rocket.jpg", "retina.jpg"):
        jpeg = with_script(name, SCRIPTS[script])
        assert needs_all_scans(jpeg)
        assert_nothing_is_seen(jpeg)
        if script in ("fine detail only", "no detail"):
            assert without_hidden_scans(jpeg) == jpeg


@pytest.mark.parametrize("seed", range(30))
def test_scripts_that_nobody_thought_of(seed: int, with_script: Callable[[str, str], bytes]) -> None:
    assert_nothing_is_seen(with_script("rocket.jpg", any_script(Random(seed))))


def test_restarts_are_left_alone() -> None:
    jpeg = saved(four_corners(), "JPEG", progressive=True, restart_marker_rows=1)
    assert without_hidden_scans(jpeg) == jpeg


def test_baseline_is_left_alone() -> None:
    assert not needs_all_scans(photo("rocket.jpg"))
    assert without_hidden_scans(photo("rocket.jpg")) == photo("rocket.jpg")


def test_a_truncated_photo_is_left_alone() -> None:
    jpeg = saved(four_corners(), "JPEG", progressive=True)[:-2]
    assert without_hidden_scans(jpeg) == jpeg


def test_the_number_of_scans_is_limited() -> None:
    jpeg = saved(four_corners(), "JPEG", progressive=True)
    one_more = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    check_scans(jpeg)
    with pytest.raises(PhotoRejected, match="too_many_scans"):
        check_scans(jpeg[:-2] + one_more * MAX_SCANS + b"\xff\xd9")
