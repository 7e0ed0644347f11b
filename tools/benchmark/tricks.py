"""What each trick of the thumbnailer gives: CPU time of the same work without it and with it, in turns."""

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

from PIL import Image, ImageCms

from photos import downscaling, imaging, webp
from tools.benchmark.speed import ROUNDS, cpu_seconds

ROOT = Path(__file__).parents[2]
_SMALL, _LARGE = (256, 192), (1024, 768)  # of 4000 × 3000 pixels
_LANCZOS = Image.Resampling.LANCZOS


@dataclass(frozen=True)
class Trick:
    """One, by the module of `photos` that has it, and the work that it makes shorter."""

    what: str
    module: str
    without: Callable[[], object]
    with_it: Callable[[], object]


def measure(pictures: Mapping[str, Path]) -> list[dict[str, float | str]]:
    """A row for each trick: medians in milliseconds. `pictures`: 12 megapixels in each format."""
    return [
        {"trick": trick.what, "module": trick.module, **_milliseconds(trick)}
        for trick in _tricks({name: pictures[name].read_bytes() for name in ("JPEG", "progressive JPEG", "WebP")})
    ]


def _tricks(photos: Mapping[str, bytes]) -> Iterator[Trick]:
    jpeg, progressive, lossy = photos["JPEG"], photos["progressive JPEG"], photos["WebP"]
    whole = _opened(jpeg).convert("RGB")
    halved = downscaling.Coarse(whole.reduce(2), (2000, 1500), averaged=True)
    large = whole.resize(_LARGE)
    yield Trick(
        "A JPEG decoder shrinks by 2, 4 or 8 as it goes",
        "imaging",
        lambda: _opened(jpeg).load(),
        lambda: _opened(jpeg, draft=(2000, 1500)).load(),
    )
    yield Trick(
        "Scans of a progressive JPEG that 256 px cannot show are not decoded",
        "jpeg_scans",
        lambda: _with_all_scans(progressive),
        lambda: imaging.make_thumbnails(progressive, [256]),
    )
    yield Trick(
        "Averaging before LANCZOS",
        "pixels",
        lambda: whole.resize(_SMALL, _LANCZOS),
        lambda: downscaling.coarse(whole, _SMALL, whole.size, averaged=False).sharp(_SMALL),
    )
    yield Trick(
        "libwebp averages as it decodes; Pillow takes each WebP for an animation",
        "webp",
        lambda: _opened(lossy).load(),
        lambda: webp.shrinking(_opened(lossy), lossy, downscaling.averageable(whole.size, _LARGE)),
    )
    yield Trick(
        "The 1024 px of a JPEG by HAMMING instead of LANCZOS",
        "imaging",
        lambda: halved.resized(_LARGE, _LANCZOS),
        lambda: halved.resized(_LARGE, Image.Resampling.HAMMING),
    )
    yield Trick(
        "WebP's effort 2 instead of 4, for 5 % more bytes",
        "imaging",
        lambda: large.save(BytesIO(), "WEBP", quality=80, method=4),
        lambda: large.save(BytesIO(), "WEBP", quality=80, method=2),
    )
    profile = ImageCms.ImageCmsProfile(BytesIO(Image.open(ROOT / "samples/rocket.jpg").info["icc_profile"]))
    to_srgb = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    yield Trick(
        "Colours and direction after shrinking, not before",
        "imaging",
        lambda: ImageCms.applyTransform(whole.transpose(Image.Transpose.ROTATE_90), to_srgb),
        lambda: ImageCms.applyTransform(large.transpose(Image.Transpose.ROTATE_90), to_srgb),
    )
    yield Trick(
        "Only the decoder that is needed is loaded",
        "formats",
        lambda: _python("import photos.imaging, photos.webp, pi_heif; from PIL import Image, ImageCms; Image.init()"),
        lambda: _python("import photos.imaging; from PIL import JpegImagePlugin"),
    )


def _milliseconds(trick: Trick) -> dict[str, float]:
    works = {"without": trick.without, "with": trick.with_it}
    rounds = [{name: _timed(work) for name, work in works.items()} for _ in range(ROUNDS + 1)]
    return {name: statistics.median(round_[name] for round_ in rounds[1:]) for name in works}


def _timed(work: Callable[[], object]) -> float:
    start = cpu_seconds()
    work()
    return 1000 * (cpu_seconds() - start)


def _opened(photo: bytes, draft: downscaling.Size | None = None) -> Image.Image:
    image = Image.open(BytesIO(photo))
    image.draft(None, draft)
    return image


def _with_all_scans(photo: bytes) -> None:
    with patch.object(imaging, "without_hidden_scans", lambda whole: whole):
        imaging.make_thumbnails(photo, [256])


def _python(code: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "lambda_src")}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
