"""Budgets by CloudFormation, which the emulator has as a service only.

Real: the budget and whom it tells, as the API lists them. On paper: its warnings, as nothing here costs anything.
"""

import json
from typing import Any

from ministack.services.budgets import _create_budget, _delete_budget, _update_budget
from ministack.services.cloudformation.provisioners import (
    _REPLACING_PROPERTIES,
    _RESOURCE_HANDLERS,
    _physical_name,
)


def extend() -> None:
    """Register the type."""
    _RESOURCE_HANDLERS["AWS::Budgets::Budget"] = {"create": _create, "update": _update, "delete": _delete}
    _REPLACING_PROPERTIES["AWS::Budgets::Budget"] = ("NotificationsWithSubscribers",)


def _create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
    name = props["Budget"].get("BudgetName") or _physical_name(stack_name, logical_id, max_len=100)
    _checked(
        _create_budget(
            {
                "Budget": _budget(props, name),
                "NotificationsWithSubscribers": props.get("NotificationsWithSubscribers"),
                "ResourceTags": props.get("ResourceTags"),
            }
        )
    )
    return name, {}


def _update(name: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Any:
    _checked(_update_budget({"NewBudget": _budget(new, name)}))
    return name, {}


def _delete(name: str, props: dict[str, Any]) -> None:
    _checked(_delete_budget({"BudgetName": name}))


def _budget(props: dict[str, Any], name: str) -> dict[str, Any]:
    """The budget as the API takes it: amounts are text there, numbers in a template."""
    budget: dict[str, Any] = props["Budget"]
    limit = budget["BudgetLimit"]
    return budget | {"BudgetName": name, "BudgetLimit": limit | {"Amount": str(limit["Amount"])}}


def _checked(answer: Any) -> None:
    status, _, body = answer
    if status != 200:
        raise ValueError(json.loads(body)["message"])
