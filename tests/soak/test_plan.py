"""What the clients of a soak do."""

from collections import Counter

from tests.soak.plan import Plan, make_plan

PICTURES = ["red", "blue", "text"]


def _plan(seed: str = "a") -> Plan:
    return make_plan(photos=500, clients=4, pictures=PICTURES, seed=seed, prefix="soak/")


def test_the_same_seed_plans_the_same() -> None:
    assert _plan("a").clients == _plan("a").clients != _plan("b").clients


def test_in_the_end_each_key_has_what_was_put_last() -> None:
    plan = _plan()
    held: dict[str, str | None] = {}
    for client in plan.clients:
        assert [step.moment for step in client] == sorted(step.moment for step in client)
        held |= {step.key: step.picture for step in client}
    assert {key: picture for key, picture in held.items() if picture} == plan.final
    assert held.keys() == plan.keys
    assert len(plan.keys) == 500


def test_one_client_has_all_steps_of_a_key() -> None:
    keys = [{step.key for step in client} for client in _plan().clients]
    assert sum(map(len, keys)) == len(set().union(*keys)) == 500


def test_photos_are_replaced_deleted_and_uploaded_again() -> None:
    plan = _plan()
    lives: dict[str, str] = {}
    for client in plan.clients:
        for step in client:
            lives[step.key] = lives.get(step.key, "") + ("-" if step.picture is None else "+")
    assert Counter(lives.values()).keys() == {"+", "++", "+++", "+-", "+-+"}
    assert plan.steps == sum(map(len, lives.values()))


def test_later_photos_that_are_there_are_uploaded_again_replaced_and_deleted() -> None:
    plan = _plan()
    again = plan.again(100, PICTURES, "a")
    assert again.clients == plan.again(100, PICTURES, "a").clients
    assert len(again.keys) == 100 and again.keys <= plan.final.keys()
    held: dict[str, str | None] = dict(plan.final)
    for client in again.clients:
        held |= {step.key: step.picture for step in client}
    assert {key: picture for key, picture in held.items() if picture} == again.final
    became = Counter(
        "deleted" if key not in again.final else "kept" if again.final[key] == plan.final[key] else "replaced"
        for key in again.keys
    )
    assert min(became["kept"], became["replaced"], became["deleted"]) > 5
