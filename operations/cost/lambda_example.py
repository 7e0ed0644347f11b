"""The pricing example of the notes, "AWS Lambda Pricing: Example", computed with the prices of every other bill."""

from operations.cost.prices import get_price

_REQUESTS = get_price("lambda-requests")
_X86, _GRAVITON = (get_price(f"lambda-{it}-gb-seconds") for it in ("x86_64", "arm64"))
_MIB_PER_GB = 1024


def free_seconds(memory_mb: float) -> float:
    """Return the seconds a month for which a function with this memory is free."""
    return _X86.free / (memory_mb / _MIB_PER_GB)


def claims(*, photo_seconds: float, memory_mb: float, batch_size: int) -> list[list[str]]:
    """Return the claims of the notes in their order, each with what follows from the prices.

    Links are relative to docs/.

    Args:
        photo_seconds: Billed duration of a photo of 12 megapixels in the thumbnail function.
        memory_mb: Memory of that function.
        batch_size: Photos that share a request at most.
    """
    gigabyte_seconds = 1e6 * photo_seconds * memory_mb / _MIB_PER_GB
    return [
        [
            "Priced by requests and duration",
            f"A photo costs 1/{batch_size} of a request, if batches are full (`batch_size` in "
            f"[`thumbnail_function.py`](../stacks/constructs/thumbnail_function.py)), and its duration at "
            f"{memory_mb:,.0f} MB",
        ],
        [
            "1 million requests a month are free, then $0.20 per million",
            f"1 million requests cost ${_REQUESTS.charge(1):.2f}, 2 million ${_REQUESTS.charge(2):.2f}",
        ],
        [
            "$0.00001667 per GB-second, 400,000 GB-seconds a month are free",
            f"${_X86.usd:.10f} on x86, ${_GRAVITON.usd:.10f} on Graviton; the first {_X86.free:,.0f} cost "
            f"${_X86.charge(_X86.free):.2f}",
        ],
        [
            "400,000 GB-seconds are 400,000 s at 1 GB, 3,200,000 s at 128 MB",
            f"{free_seconds(1024):,.0f} s at 1 GB, {free_seconds(128):,.0f} s at 128 MB, and "
            f"{free_seconds(memory_mb):,.0f} s at {memory_mb:,.0f} MB, "
            f"{free_seconds(memory_mb) / photo_seconds / 1e6:.2f} million photos of 12 megapixels",
        ],
        [
            "After that, $1.00 for 600,000 GB-seconds",
            f"Incorrect: ${_X86.charge(600_000, free_tier=False):.2f} on x86, and "
            f"${_GRAVITON.charge(600_000, free_tier=False):.2f} on Graviton. One dollar buys {1 / _X86.usd:,.0f}",
        ],
        [
            "In increments of 1 ms",
            f"A photo of 12 megapixels takes {photo_seconds * 1000:.0f} ms on Graviton, with its waits. A million "
            f"cost ${_GRAVITON.charge(gigabyte_seconds, free_tier=False):.2f} before the free tier",
        ],
        [
            "Usually very cheap, so very popular",
            "The idle sandbox costs less than $0.08 an hour (`make cost`), and its functions nothing. "
            "A million photos: [costs.md](costs.md). From which load on other "
            "compute is cheaper: [compare.md](compare.md)",
        ],
    ]
