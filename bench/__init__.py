"""
Measuring it: the way from a device to its receipt, what everything takes up, and what has to be reached.

Read in this order: part, machine, usage, worker, ahead; site, kept, process, gateway; connection, load, subscriber,
author, web; stages, feeder; then the parts of `blockpost bench`, each a module with a `PART`; campaign, targets, chart, cli.
"""
