"""Tools for maintainers: setup, generated documents, audits and benchmarks."""
