"""The album job of AWS Batch."""

import sys

sys.exit("usage: album.py COMMAND")
