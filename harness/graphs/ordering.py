"""Order in which the operators of a file can run, and the faults that prevent one."""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

from harness.graphs.faults import ModelFileError, model_issue
from harness.issues import Issue, quoted

_MOST_ISSUES: Final = 20
_MOST_NAMES: Final = 5


class Step(NamedTuple):
    """An operator, reduced to what decides its place in the order.

    Attributes:
        name: its name in messages.
        reads: tensors that it reads.
        makes: tensors that it writes.
    """

    name: str
    reads: tuple[str, ...]
    makes: tuple[str, ...]


def running_order(steps: Sequence[Step], given: Collection[str], taken: Sequence[str], shown: str) -> list[int]:
    """Places of operators in an order in which they can run; the file's own where it is one.

    Takes time n log n in the number of operators.

    Args:
        steps: operators in the file's order.
        given: tensors that no operator makes: inputs and constants.
        taken: tensors that the caller takes.
        shown: file as messages show it.

    Raises:
        ModelFileError: a tensor with two origins or none, or operators that wait for each other.
    """
    makers = _makers(steps, given, shown)
    issues = list(_without_origin(steps, given, makers, taken, shown))
    if issues:
        raise ModelFileError(issues[:_MOST_ISSUES])
    if all(makers.get(tensor, -1) < place for place, step in enumerate(steps) for tensor in step.reads):
        return list(range(len(steps)))
    awaited = [{makers[tensor] for tensor in step.reads if tensor in makers} for step in steps]
    waiting: dict[int, list[int]] = defaultdict(list)
    for place, places in enumerate(awaited):
        for earlier in places:
            waiting[earlier].append(place)
    n_awaited = [len(places) for places in awaited]
    ready = [place for place, n in enumerate(n_awaited) if n == 0]
    order = []
    while ready:
        place = heapq.heappop(ready)
        order.append(place)
        for later in waiting[place]:
            n_awaited[later] -= 1
            if n_awaited[later] == 0:
                heapq.heappush(ready, later)
    if len(order) < len(steps):
        raise ModelFileError([_cycle(steps, awaited, set(range(len(steps))).difference(order), shown)])
    return order


def _makers(steps: Sequence[Step], given: Collection[str], shown: str) -> dict[str, int]:
    """Place of the operator that makes each tensor."""
    makers: dict[str, int] = {}
    issues = []
    for place, step in enumerate(steps):
        for tensor in step.makes:
            if tensor in makers or tensor in given:
                other = f"by {quoted(steps[makers[tensor]].name)}" if tensor in makers else "as input or constant"
                issues.append(
                    model_issue(
                        "model-graph",
                        shown,
                        tensor=tensor,
                        found=f"made by {quoted(step.name)} and {other}",
                        expected="one origin of every tensor",
                        fix="Rename one of the two in the export.",
                    )
                )
            makers[tensor] = place
    if issues:
        raise ModelFileError(issues[:_MOST_ISSUES])
    return makers


def _without_origin(
    steps: Sequence[Step], given: Collection[str], makers: dict[str, int], taken: Sequence[str], shown: str
) -> Iterator[Issue]:
    readers: dict[str, str | None] = {}
    for step in steps:
        for tensor in step.reads:
            if tensor not in given and tensor not in makers:
                readers.setdefault(tensor, step.name)
    for tensor in taken:
        if tensor not in given and tensor not in makers:
            readers.setdefault(tensor, None)
    for tensor, reader in readers.items():
        yield model_issue(
            "model-graph",
            shown,
            tensor=tensor,
            found=f"{'an output of the model' if reader is None else f'read by {quoted(reader)}'}, made by no operator",
            expected="an operator, an input or a constant of that name",
            fix="Export the whole network, or declare the tensor as an input.",
        )


def _cycle(steps: Sequence[Step], awaited: Sequence[set[int]], stuck: set[int], shown: str) -> Issue:
    """Issue that lists the operators of one cycle; every stuck operator waits for another one."""
    place = min(stuck)
    path: dict[int, None] = {}
    while place not in path:
        path[place] = None
        place = min(awaited[place] & stuck)
    visited = list(path)
    ring = [steps[at].name for at in reversed(visited[visited.index(place) :])]
    names = " -> ".join(quoted(name) for name in (*ring[:_MOST_NAMES], *(["..."] if len(ring) > _MOST_NAMES else [])))
    return model_issue(
        "model-graph",
        shown,
        tensor=steps[place].name,
        found=f"a cycle of {len(ring)} operators, {names}",
        expected="operators that do not wait for their own result",
        fix="Export the network again; unroll recurrent parts.",
    )
