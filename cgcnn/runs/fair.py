"""Who is next: the fewest running runs first, then the fewest started while others waited, then the oldest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Waiting:
    """A queued run, as far as its turn goes."""

    id: str
    owner: str
    since: float  # when it joined the queue


def fair_order(
    queued: Sequence[Waiting], running: Mapping[str, int], served: Mapping[str, int], per_owner: int
) -> list[str]:
    """The ids in the order in which they start if no other run is submitted.

    `running` counts the runs of each owner that are under way, `served` those started since the oldest of `queued`
    began to wait: so one slot goes round the class too. Owners who already have `per_owner` runs come last.
    """
    busy, had, left = Counter(running), Counter(served), list(queued)
    order = []
    while left:
        following = min(left, key=lambda w: (busy[w.owner] >= per_owner, busy[w.owner], had[w.owner], w.since))
        left.remove(following)
        busy[following.owner] += 1
        had[following.owner] += 1
        order.append(following.id)
    return order
