"""Sends the same files through each compute option, verifies every result, and measures what they needed."""
