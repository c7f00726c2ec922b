"""
What may go wrong, done on purpose to the real processes.

* `fault`   a fault: it begins, it ends, it has a name
* `disk`    a disk that fails, lies, is full or read-only, or loses its power; `disk.c` is loaded into the processes

A process is given the environment of a disk, and from then on whatever is said of the disk befalls it:

    with Disk(directory) as disk:
        process = subprocess.Popen(command, env=disk.env)
        with disk.fail("sync", errno.EIO, path="chain.db") as fault:
            ...                         # fsyncs of chain.db and its log fail
        assert fault.hits
        with disk.full():               # and `read_only`, `lie`, `slow`
            ...
        disk.kill("rename", skip=2)     # the power fails right before the third rename from now
"""
