"""The table of resources in the README."""

import json
import re
from pathlib import Path

from tools.resource_table import resource_table


def test_counts_each_type_in_words_and_says_what_keeps_data(tmp_path: Path) -> None:
    artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Jobs.template.json"}}
    artifacts = {"Jobs": artifact, "Tree": {"type": "cdk:tree"}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    types = ["AWS::S3::Bucket", "AWS::Batch::JobQueue", "AWS::Batch::JobQueue", "AWS::EC2::VPC", "AWS::CDK::Metadata"]
    resources = {f"R{number}": {"Type": type_} for number, type_ in enumerate(types)}
    (tmp_path / "Jobs.template.json").write_text(json.dumps({"Resources": resources}))
    assert resource_table(tmp_path).splitlines()[2:] == [
        "| `Jobs` | nothing | Batch job queue × 2, EC2 VPC, S3 bucket | S3 bucket |"
    ]


def test_no_name_says_a_word_twice(assembly: Path) -> None:
    cells = [row.split(" | ")[2] for row in resource_table(assembly).splitlines()[2:]]
    names = {name for cell in cells for name in re.sub(r" × \d+", "", cell).split(", ")}
    words = {name: name.lower().replace("-", " ").split() for name in names}
    assert [name for name in sorted(names) if len(words[name]) > len(set(words[name]))] == []


def test_says_which_other_stacks_it_needs(tmp_path: Path) -> None:
    def artifact(*dependencies: str) -> dict[str, object]:
        properties = {"templateFile": "Empty.template.json"}
        return {"type": "aws:cloudformation:stack", "properties": properties, "dependencies": dependencies}

    artifacts = {"Web": artifact("Net", "Web.assets", "Jobs"), "Net": artifact("Net.assets"), "Jobs": artifact()}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    (tmp_path / "Empty.template.json").write_text(json.dumps({"Resources": {}}))
    assert [row.split(" | ")[1] for row in resource_table(tmp_path).splitlines()[2:]] == [
        "nothing",
        "nothing",
        "`Jobs`, `Net`",
    ]
