"""
What may go wrong, done on purpose to the real processes.

* `fault`       a fault: it begins, it ends, it has a name

A disk, and when its power fails:

* `disk`        it fails, lies, is full or read-only, or loses its power; `disk.c` is loaded into the processes
* `trace`       what it was told to do, in order
* `platter`     what of it survives a power cut
* `jobs`        work for a process of its own, on a disk that is recorded
* `survival`    what is left of a job, whenever the power may have failed in it

Everything else that goes wrong, in a building where everybody works:

* `proxy`       between the broker and its clients; it understands MQTT
* `network`     what goes wrong there
* `process`     processes that are killed, hang, or run out of memory
* `clock`       wall clocks that leap
* `keeping`     what the gateway keeps, damaged, and the operator's way back
* `gateway`, `supervisor`   a gateway for faults: real processes, with the proxy before the broker
* `cast`        accounts at work, each a real process
* `scene`       the building
* `repertoire`  every fault that it can have, by name
* `sequence`    faults that follow one another at random; `python -m tests.faults` runs one by hand
* `invariants`  what holds afterwards

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
