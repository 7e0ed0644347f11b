"""The traps of deploying: a file of them is one proof."""

from collections.abc import Iterator

import pytest

from tools import guarantees


@pytest.fixture(scope="module", autouse=True)
def no_trap(request: pytest.FixtureRequest) -> Iterator[None]:
    """Puts the row of a file of traps on the page of proofs, once each of its tests has passed."""
    if not request.path.match(guarantees.TRAPS):
        yield
        return
    by, session = request.node.nodeid, request.session
    failed_before = session.testsfailed
    guarantees.forget(by, guarantees.RECORDS)
    yield
    if session.testsfailed == failed_before:
        about = request.path.stem.rpartition("_")[2]
        row = guarantees.Proof(
            "The first deployment and every update work",
            tried=f"known traps of deploying, changing or destroying: `{about}`, a test for each",
            times=sum(item.path == request.path for item in session.items),
            found="the templates have none of them",
        )
        guarantees.write(by, [row], guarantees.RECORDS)
