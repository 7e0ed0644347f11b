"""Requests and files of the clients of a soak."""

from collections import Counter

from photos.errors import PhotoRejected
from tests.soak.photos import expected_outcome, soak_images
from tests.soak.plan import Plan, make_plan, plan_changes
from tools.photos import invalid_files

IMAGES = ["red", "blue", "text"]


def _make_plan(seed: str = "a") -> Plan:
    return make_plan(photos=500, clients=4, images=IMAGES, seed=seed, prefix="soak/")


def _state_after(plan: Plan, before: dict[str, str] | None = None) -> dict[str, str]:
    state: dict[str, str | None] = {**(before or {})}
    for client in plan.clients:
        state |= {request.key: request.image for request in client}
    return {key: image for key, image in state.items() if image}


def test_plan_depends_only_on_the_seed() -> None:
    plan = _make_plan("a")
    assert plan.clients == _make_plan("a").clients != _make_plan("b").clients
    assert plan_changes(plan, 100, IMAGES, "a").clients == plan_changes(plan, 100, IMAGES, "a").clients


def test_plan_contains_every_history_and_knows_the_final_state() -> None:
    plan = _make_plan()
    assert all(client == sorted(client, key=lambda request: request.time) for client in plan.clients)
    keys = [{request.key for request in client} for client in plan.clients]
    assert sum(map(len, keys)) == len(plan.keys) == 500, "one client sends all requests of a key"
    assert _state_after(plan) == plan.final
    histories: dict[str, str] = {}
    for client in plan.clients:
        for request in client:
            histories[request.key] = histories.get(request.key, "") + ("-" if request.image is None else "+")
    assert set(histories.values()) == {"+", "++", "+++", "+-", "+-+"}
    assert plan.request_count == sum(map(len, histories.values()))


def test_changes_keep_replace_and_delete_existing_photos() -> None:
    plan = _make_plan()
    changes = plan_changes(plan, 100, IMAGES, "a")
    assert len(changes.keys) == 100 and changes.keys <= plan.final.keys()
    assert _state_after(changes, plan.final) == changes.final
    results = Counter(
        "deleted" if key not in changes.final else "kept" if changes.final[key] == plan.final[key] else "replaced"
        for key in changes.keys
    )
    assert min(results["kept"], results["replaced"], results["deleted"]) > 5


def test_soak_images_include_every_rejection_and_have_distinct_thumbnails() -> None:
    outcomes = {name: expected_outcome(image) for name, image in soak_images().items()}
    rejected = {name: it.code for name, it in outcomes.items() if isinstance(it, PhotoRejected)}
    assert rejected == {name: code for name, (_, code) in invalid_files().items()}
    accepted = [it for it in outcomes.values() if not isinstance(it, PhotoRejected)]
    assert len(accepted) > 10
    assert len({min(it.items()) for it in accepted}) == len(accepted)
