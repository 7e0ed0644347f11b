"""Benchmark of the thumbnailer against its decoders, stock Pillow, and sharp, in one run."""


class BenchmarkError(Exception):
    """Something that the benchmark promises to measure cannot be measured. The message is one line for the user."""
