"""What a deployment says before and after it; that it deploys is tried in tests/e2e/test_deploy.py."""

from operations.deploy import destroy_command


def test_what_undoes_it_names_the_copy_that_was_deployed() -> None:
    assert destroy_command("other-compute") == "make destroy"
    assert destroy_command("annas") == "make destroy name=annas"
