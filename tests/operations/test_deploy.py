"""What a deployment says before and after it; that it deploys is tried in tests/e2e/test_deploy.py."""

from operations.deploy import undo


def test_what_undoes_it_names_the_copy_that_was_deployed() -> None:
    assert undo("other-compute") == "make destroy"
    assert undo("annas") == "make destroy name=annas"
