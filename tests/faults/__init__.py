"""
What may go wrong, done on purpose to the real processes.

* `fault`   a fault: it begins, it ends, it has a name
* `disk`    a disk that fails, lies, is full or read-only, or loses its power; `disk.c` is loaded into the processes
* `trace`   what a disk was told to do, in order
* `platter` what of it survives a power cut

A process is given the environment of a disk, and from then on whatever is said of the disk befalls it:

    with Disk(directory) as disk:
        process = subprocess.Popen(command, env=disk.env)
        with disk.fail("sync", errno.EIO, path="chain.db") as fault:
            ...                         # fsyncs of chain.db and its log fail
        assert fault.hits
        with disk.full():               # and `read_only`, `lie`, `slow`
            ...
        disk.kill("rename", skip=2)     # the power fails right before the third rename from now

With `Disk(directory, record=True)` the power can be cut for real: `disk.cut()` leaves in the directory what was synced
and nothing else (`disk.cut(seed)`: some of the rest, too), and the processes are started again on that. And without
starting anything again, one run shows every moment at which the power may fail:

    for cut in disk.cuts():
        cut.platter.image().write(folder)   # what is left
        cut.told                            # what had been sent by then
"""
