"""The laptop sandbox: an emulator of AWS on 127.0.0.1, deployed to by the real CDK CLI."""

import sys
from pathlib import Path

# The photo domain, which the demo speaks as the functions do.
sys.path.append(str(Path(__file__).parent.parent / "lambda_src"))
