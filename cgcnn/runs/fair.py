"""Who is next: the fewest running runs first, then the fewest started while others waited, then the oldest."""

import heapq
from collections import deque
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

    `running` counts the runs of each owner that are under way, `served` those started since a while before the
    oldest of `queued` began to wait: so one slot goes round the class too. Owners who already have `per_owner` runs
    come last.
    """
    lines: dict[str, deque[Waiting]] = {}
    for waiting in sorted(queued, key=lambda w: w.since):
        lines.setdefault(waiting.owner, deque()).append(waiting)

    def turn(owner: str, started: int) -> tuple[bool, int, int, float, str]:
        busy = running.get(owner, 0) + started
        return busy >= per_owner, busy, served.get(owner, 0) + started, lines[owner][0].since, owner

    heads, begun = [(turn(owner, 0), owner) for owner in lines], dict.fromkeys(lines, 0)
    heapq.heapify(heads)
    order = []
    while heads:
        _, owner = heapq.heappop(heads)
        order.append(lines[owner].popleft().id)
        begun[owner] += 1
        if lines[owner]:
            heapq.heappush(heads, (turn(owner, begun[owner]), owner))
    return order
