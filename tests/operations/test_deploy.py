"""Messages of a deployment. `tests/e2e/deployments/test_deploy.py` deploys."""

from operations.deploy import destroy_command


def test_destroy_command_selects_the_deployment() -> None:
    assert destroy_command("other-compute") == "make destroy"
    assert destroy_command("annas") == "make destroy name=annas"
