"""AWS Budgets in CloudFormation. The emulator has only the API.

Emulated: the budget and its notifications, as the API lists them. Not emulated: alerts, because nothing has a cost.
"""

from ministack.core.responses import get_account_id

from local.extension.cloudformation import Properties, call, register


def extend() -> None:
    """Register the resource type."""
    register(
        "AWS::Budgets::Budget",
        create=_create,
        update=_update,
        delete=lambda name, props: call("budgets", "DeleteBudget", {"AccountId": get_account_id(), "BudgetName": name}),
        replaced_by=["NotificationsWithSubscribers"],
    )


def _create(name: str, props: Properties) -> tuple[str, Properties]:
    budget = {"BudgetName": name, **props["Budget"]}
    call("budgets", "CreateBudget", {**props, "AccountId": get_account_id(), "Budget": budget})
    return budget["BudgetName"], {}


def _update(name: str, props: Properties) -> Properties:
    budget = {**props["Budget"], "BudgetName": name}
    call("budgets", "UpdateBudget", {"AccountId": get_account_id(), "NewBudget": budget})
    return {}
