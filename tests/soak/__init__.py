"""Soak test: 1,000 photos while everything that can fail fails, then a comparison with the expected state.

- Many clients upload, replace, and delete photos at the same time.
- S3 events arrive twice, late, and out of order.
- A fifth of the functions' AWS calls fail, and the functions' processes are killed.
- Sweeps run at the same time.

At the end, each photo has the thumbnails or the rejection of its latest upload, and nothing else is left.
"""
