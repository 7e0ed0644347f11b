"""Benchmark of the thumbnailer against its decoders, stock Pillow, and sharp, in one run."""


class BenchmarkError(Exception):
    """A measurement is not possible. The message is one line for the user."""
