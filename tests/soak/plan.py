"""What the clients do, the same for the same seed: which keys, which pictures, in which order."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# What happens to one photo, and how often of a hundred. Letters stand for pictures, - for a deletion.
_LIVES = {
    "A": 60,
    "AB": 15,
    "A-": 10,
    "ABA": 5,  # the same bytes again, and so the same ETag
    "A-B": 5,
    "A-A": 5,
}

# What happens to a photo that is there. A is the picture it has.
_LATER_LIVES = {
    "A": 40,
    "B": 25,
    "-": 20,
    "-A": 10,
    "B-": 5,
}

# As people name things.
_NAMES = ("photo {}.jpg", "IMG_{}", "holidays/ümläut + {}.JPG", "日本語/{}🏔.png", "a/b/../{}%20.webp")


@dataclass(frozen=True)
class Step:
    """One call of a client: puts this picture, or deletes what is there if there is none.

    moment: when in the soak, from 0 to 1
    """

    moment: float
    key: str
    picture: str | None


@dataclass(frozen=True)
class Plan:
    """Steps by client. The steps of one key are one client's, in order: so it is known what is there in the end.

    final: what each key holds in the end, the name of a picture; keys that are deleted are not in it
    """

    clients: list[list[Step]]
    final: dict[str, str]

    @property
    def steps(self) -> int:
        """How many calls there are in all; S3 tells of each."""
        return sum(map(len, self.clients))

    @property
    def keys(self) -> set[str]:
        """Every key that is ever used."""
        return {step.key for client in self.clients for step in client}

    def again(self, photos: int, pictures: Sequence[str], seed: str) -> "Plan":
        """So many of the photos that are there uploaded once more as they are, replaced, or deleted."""
        chance = random.Random(f"{seed} again")
        shared: list[list[Step]] = [[] for _ in self.clients]
        final = dict(self.final)
        for key in chance.sample(sorted(self.final), min(photos, len(self.final))):
            held = self.final[key]
            other = chance.choice([picture for picture in pictures if picture != held])
            _live(chance, shared, final, key, _life(chance, _LATER_LIVES, held, other))
        return Plan([_in_time(steps) for steps in shared], final)


def make_plan(photos: int, clients: int, pictures: Sequence[str], seed: str, prefix: str) -> Plan:
    """So many photos under keys that begin with `prefix`, shared among so many clients."""
    chance = random.Random(seed)
    shared: list[list[Step]] = [[] for _ in range(clients)]
    final: dict[str, str] = {}
    for number in range(photos):
        key = prefix + chance.choice(_NAMES).format(f"{number:05}")
        _live(chance, shared, final, key, _life(chance, _LIVES, *chance.sample(pictures, 2)))
    return Plan([_in_time(steps) for steps in shared], final)


def _in_time(steps: list[Step]) -> list[Step]:
    return sorted(steps, key=lambda step: step.moment)


def _life(chance: random.Random, lives: Mapping[str, int], first: str, second: str) -> list[str | None]:
    (letters,) = chance.choices(list(lives), list(lives.values()))
    return [{"A": first, "B": second, "-": None}[letter] for letter in letters]


def _live(
    chance: random.Random, shared: list[list[Step]], final: dict[str, str], key: str, life: list[str | None]
) -> None:
    """Give the steps of a key to one of the clients, and keep what the key holds after them."""
    moments = sorted(chance.random() for _ in life)
    chance.choice(shared).extend(Step(moment, key, it) for moment, it in zip(moments, life, strict=True))
    final.pop(key, None)
    if life[-1] is not None:
        final[key] = life[-1]
