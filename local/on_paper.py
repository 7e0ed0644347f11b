"""What the sandbox keeps on paper only: CloudFormation accepts it, and nothing stands behind it."""

from collections.abc import Iterable

# By type: what a person who looks for it should know.
ON_PAPER = {
    "AWS::Lightsail::Instance": "the emulator has no Lightsail, so no server starts",
    "AWS::Lightsail::StaticIp": "Lightsail.WebsiteUrl has an address that leads nowhere",
    "AWS::Budgets::Budget": "kept and listed, but nothing here costs anything, so it never warns",
}


def on_paper(types: Iterable[str]) -> list[str]:
    """A line for each of these resource types that is on paper only."""
    return [f"{resource_type}: {ON_PAPER[resource_type]}" for resource_type in sorted(ON_PAPER.keys() & set(types))]
