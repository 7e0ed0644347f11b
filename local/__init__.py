"""The laptop sandbox: an emulator of AWS on 127.0.0.1, to which the CDK CLI deploys all stacks."""

import sys
from pathlib import Path

# The demo imports the package `photos`, as the functions do.
sys.path.append(str(Path(__file__).parent.parent / "lambda_src"))
