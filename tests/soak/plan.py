"""The requests of the clients. The same seed gives the same keys, images, and order."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Histories of a photo, with weights in percent. A letter is an upload of one of two images, - is a deletion.
_HISTORIES = {
    "A": 60,
    "AB": 15,
    "A-": 10,
    "ABA": 5,  # the first bytes again, and therefore the same ETag
    "A-B": 5,
    "A-A": 5,
}

# Histories of a photo that exists. A is its current image.
_CHANGES = {
    "A": 40,
    "B": 25,
    "-": 20,
    "-A": 10,
    "B-": 5,
}

# Formats of keys, with characters that URLs and S3 events encode.
_KEYS = ("photo {}.jpg", "IMG_{}", "holidays/ümläut + {}.JPG", "日本語/{}🏔.png", "a/b/../{}%20.webp")


@dataclass(frozen=True)
class Request:
    """An upload or a deletion.

    Attributes:
        time: When the client sends it, as a fraction of the soak's duration.
        image: Name of the uploaded image. None deletes the object.
    """

    time: float
    key: str
    image: str | None


@dataclass(frozen=True)
class Plan:
    """Requests of all clients.

    Attributes:
        clients: Requests by client, in order. One client sends all requests of a key, so the final state is known.
        final: Name of the image that each key holds at the end. Deleted keys are absent.
    """

    clients: list[list[Request]]
    final: dict[str, str]

    @property
    def request_count(self) -> int:
        """Number of requests. S3 sends one event for each."""
        return sum(map(len, self.clients))

    @property
    def keys(self) -> set[str]:
        """All keys, deleted ones included."""
        return {request.key for client in self.clients for request in client}


def make_plan(photos: int, clients: int, images: Sequence[str], seed: str, prefix: str) -> Plan:
    """Plan the history of new photos.

    Args:
        photos: Number of keys.
        clients: Number of clients that share them.
        images: Names of the images.
        prefix: Prefix of all keys.
    """
    random_ = random.Random(seed)
    keys = [prefix + random_.choice(_KEYS).format(f"{number:05}") for number in range(photos)]
    return _plan(random_, clients, {}, {key: _history(random_, _HISTORIES, *random_.sample(images, 2)) for key in keys})


def plan_changes(plan: Plan, photos: int, images: Sequence[str], seed: str) -> Plan:
    """Plan to upload again, replace, or delete some of the photos that an earlier plan leaves."""
    random_ = random.Random(f"{seed} changes")
    histories = {}
    for key in random_.sample(sorted(plan.final), min(photos, len(plan.final))):
        current = plan.final[key]
        other = random_.choice([image for image in images if image != current])
        histories[key] = _history(random_, _CHANGES, current, other)
    return _plan(random_, len(plan.clients), plan.final, histories)


def _history(random_: random.Random, weights: Mapping[str, int], first: str, second: str) -> list[str | None]:
    (letters,) = random_.choices(list(weights), list(weights.values()))
    return [{"A": first, "B": second, "-": None}[letter] for letter in letters]


def _plan(
    random_: random.Random, clients: int, before: Mapping[str, str], histories: Mapping[str, list[str | None]]
) -> Plan:
    """Distribute the histories of keys among the clients."""
    requests: list[list[Request]] = [[] for _ in range(clients)]
    for key, history in histories.items():
        times = sorted(random_.random() for _ in history)
        random_.choice(requests).extend(Request(time, key, it) for time, it in zip(times, history, strict=True))
    final = {**before, **{key: history[-1] for key, history in histories.items()}}
    return Plan(
        [sorted(of_client, key=lambda request: request.time) for of_client in requests],
        {key: image for key, image in final.items() if image is not None},
    )
