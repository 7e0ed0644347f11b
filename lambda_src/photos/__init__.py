"""The domain of the photo service. It knows no AWS event formats."""
