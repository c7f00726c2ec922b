"""What holds after any sequence of faults, of everything that a scene left behind."""

import re
from collections import Counter
from contextlib import closing

import psutil

from bench.usage import Memory
from chain import checkpoint, merkle
from chain.audit import audit
from chain.chain import Chain
from chain.entry import parse
from chain.receipt import Receipt
from tests.faults.cast import Member
from tests.faults.process import OutOfMemory, Starved
from tests.faults.scene import Scene

MOST_MB = 160
"""Of memory that any one process may take up, which is more than twice what the largest has at work."""

TRACEBACK = re.compile(
    r"^Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*(?P<error>.*)$", re.MULTILINE
)


STARVED = re.compile(
    r"MemoryError|.*Cannot allocate memory|.*failed to map segment|.*can't start new thread|LookupError: unknown encoding"
)
"""What Python says where there is no memory; the last where it could not load a codec."""

WITHOUT_MEMORY = tuple(kind.__name__.lower() for kind in (Starved, OutOfMemory))


class Invariants:
    """Of one scene, from its beginning: `look` now and then while it works, `check` when it has stopped."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._held = dict.fromkeys(scene.members, 0)

    def look(self) -> None:
        """No checkpoint went back, and nobody grows without bound."""
        for name, member in self._scene.members.items():
            size = held(member)
            assert size >= self._held[name], f"{name} held {self._held[name]} entries and now {size}"
            self._held[name] = size
        processes = [each for found in self._scene.gateway.processes().values() for each in found]
        processes += [member.process for member in self._scene.members.values() if member.is_running]
        for process in processes:
            check_memory(process)

    def check(self) -> None:
        """All of it, once the scene has stopped."""
        scene = self._scene
        for name, text in scene.logs():
            found = [match.group("error") for match in TRACEBACK.finditer(text)]
            if any(fault.startswith(WITHOUT_MEMORY) for fault in scene.faults):
                found = [error for error in found if not STARVED.match(error)]
            assert found == [], f"{name} logged tracebacks: {found}"
        assert audit(scene.site.chain_file).size > 0
        with closing(Chain.open(scene.site.chain_file)) as chain:
            for device in scene.devices:
                check_device(device, chain)
            for member in scene.members.values():
                check_history(member, chain)
        check_read(scene)


def held(member: Member) -> int:
    """How many entries the newest checkpoint speaks of that this account believes."""
    note = member.book.checkpoint()
    membership = member.book.membership()
    if note is None:
        return 0
    return checkpoint.verify(note, origin=membership.origin, key=membership.gateway_key).size


def check_memory(process: psutil.Process) -> None:
    try:
        taken, words = Memory.of(process.pid).rss_mb, process.cmdline()
    except (OSError, LookupError, psutil.NoSuchProcess):
        return  # it has ended meanwhile
    assert taken < MOST_MB, f"{taken} MB: {words}"


def check_device(device: Member, chain: Chain) -> None:
    """Each receipted entry is where its receipt says, once; and what was queued is there, or in the outbox."""
    assert device.unexpected == [], device.unexpected
    on_chain = Counter(
        said.id
        for said in (parse(leaf).entry for _, leaf in chain.store.leaves(0, chain.head.size))
        if said.author == device.account
    )
    doubled = {entry_id for entry_id, times in on_chain.items() if times > 1}
    assert not doubled, f"{device.handle}: on the chain more than once: {doubled}"
    for receipt in chain.receipts(device.receipted.values()):
        check_receipt(device, receipt, chain)
    waiting = set(device.waiting())
    lost = set(device.queued) - on_chain.keys() - waiting
    assert not lost, f"{device.handle}: neither on the chain nor in the outbox: {lost}"
    counted = device.counted()
    assert counted["refused"] == 0
    assert counted["queued"] == counted["receipted"] + len(waiting), (
        f"{device.handle}: {counted}, {len(waiting)} wait"
    )
    # What is on the chain may still wait for its receipt; what is receipted waits no more.
    assert counted["queued"] == len(on_chain.keys() | waiting)


def check_receipt(device: Member, receipt: Receipt, chain: Chain) -> None:
    leaf = chain.store.leaf(receipt.index)
    receipt.verify(leaf, origin=chain.origin, key=chain.key)
    said = parse(leaf).entry.id
    assert device.receipted.get(said) == receipt.index, f"{device.handle}: entry {receipt.index} is {said}"


def check_history(member: Member, chain: Chain) -> None:
    """The checkpoint that it believes is one of this chain."""
    note = member.book.checkpoint()
    assert member.book.evidence() is None, member.book.evidence()
    assert note is not None
    shown, newest = chain.verified(note), chain.verified(chain.checkpoint())
    path = chain.consistency(shown.size, newest.size)
    merkle.verify_consistency(shown.size, newest.size, path, shown.root, newest.root)


def check_read(scene: Scene) -> None:
    """Each message was read once; one was read again at most each time that the reader died."""
    ids = {said.id for _, said in scene.committed()}
    assert scene.reader.unexpected == [], scene.reader.unexpected
    assert scene.reader.opened.keys() == ids
    again = scene.reader.opened.total() - len(ids)
    assert again <= scene.reader.deaths, f"{again} messages were read again"
