"""Which memory setting to give the function: what each would cost, and take, for a 12-megapixel JPEG.

A model, not a measurement on Lambda: AWS states that CPU grows with memory, one whole vCPU at 1,769 MB, and a
thumbnail is work for one thread. So below 1,769 MB the CPU's part costs the same and only takes longer; above
it, it costs more and is no faster. Waiting for S3 and DynamoDB needs no CPU, so it is cheaper with less.
"""

from photos.input_limits import MAX_MEMORY

ONE_CPU_MB = 1769
PRICE_GB_SECOND = 0.0000133334  # arm64, us-east-1
PRICE_REQUEST = 0.20 / 1_000_000
WAITING_MS = 80  # assumed: one read and three writes
# MiB: what a photo may take, and Python, boto3 and the file, which are there before that is bounded.
NEEDED_MIB = MAX_MEMORY // 2**20 + 150


def table(cpu_ms: float) -> list[dict[str, float | bool]]:
    """One row for each setting; `cpu_ms` is the time of a whole processor."""
    rows: list[dict[str, float | bool]] = []
    for megabytes in (512, 1024, 1280, 1536, ONE_CPU_MB, 2048, 3008):
        cpu = min(1.0, megabytes / ONE_CPU_MB)
        ms = cpu_ms / cpu + WAITING_MS
        cost = PRICE_GB_SECOND * megabytes / 1024 * ms / 1000 + PRICE_REQUEST
        fits = megabytes > NEEDED_MIB
        rows.append({"MB": megabytes, "vCPU": cpu, "ms": ms, "$ a million": 1e6 * cost, "fits": fits})
    return rows
