"""Which subscribers a topic reaches: a tree of levels, so that a match costs the topic's depth, not the crowd's size."""

from collections.abc import Hashable
from typing import Generic, TypeVar

SubscriberT = TypeVar("SubscriberT", bound=Hashable)


class _Node(Generic[SubscriberT]):
    __slots__ = ("below", "here")

    def __init__(self) -> None:
        self.below: dict[str, _Node[SubscriberT]] = {}
        self.here: dict[SubscriberT, int] = {}


class Subscriptions(Generic[SubscriberT]):
    """Filters are well formed, and neither they nor topics begin with `$`: `topics` has seen to that."""

    def __init__(self) -> None:
        self._root: _Node[SubscriberT] = _Node()
        self._filters: dict[SubscriberT, set[str]] = {}

    def count(self, subscriber: SubscriberT) -> int:
        return len(self._filters.get(subscriber, ()))

    def has(self, subscriber: SubscriberT, topic_filter: str) -> bool:
        return topic_filter in self._filters.get(subscriber, ())

    def add(self, subscriber: SubscriberT, topic_filter: str, qos: int) -> None:
        node = self._root
        for level in topic_filter.split("/"):
            node = node.below.setdefault(level, _Node())
        node.here[subscriber] = qos
        self._filters.setdefault(subscriber, set()).add(topic_filter)

    def remove(self, subscriber: SubscriberT, topic_filter: str) -> None:
        """Removing what is not there is harmless."""
        if not self.has(subscriber, topic_filter):
            return
        self._filters[subscriber].discard(topic_filter)
        levels = topic_filter.split("/")
        path = [self._root]
        for level in levels:
            path.append(path[-1].below[level])
        del path[-1].here[subscriber]
        for level, parent, node in zip(reversed(levels), reversed(path[:-1]), reversed(path), strict=False):
            if node.here or node.below:
                break
            del parent.below[level]

    def drop(self, subscriber: SubscriberT) -> None:
        for topic_filter in list(self._filters.get(subscriber, ())):
            self.remove(subscriber, topic_filter)
        self._filters.pop(subscriber, None)

    def matching(self, topic: str) -> dict[SubscriberT, int]:
        """Each subscriber once, with the highest QoS that its matching filters grant."""
        found: dict[SubscriberT, int] = {}
        nodes = [self._root]
        for level in topic.split("/"):
            below = []
            for node in nodes:
                if rest := node.below.get("#"):
                    _merge(found, rest)
                if one := node.below.get(level):
                    below.append(one)
                if anyone := node.below.get("+"):
                    below.append(anyone)
            nodes = below
        for node in nodes:
            _merge(found, node)
            if rest := node.below.get("#"):
                _merge(found, rest)
        return found


def _merge(found: dict[SubscriberT, int], node: _Node[SubscriberT]) -> None:
    for subscriber, qos in node.here.items():
        found[subscriber] = max(qos, found.get(subscriber, 0))
