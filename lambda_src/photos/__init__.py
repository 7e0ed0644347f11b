"""The domain of the photo service. Knows nothing of AWS event shapes."""
