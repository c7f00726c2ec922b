"""
Measuring it: the rate and latency of the way from a device to its receipt, and what an agent takes up at rest.

Read in this order: part, machine, usage, site, process, connection, worker, load, floor, commit, contracts, agent,
page, cli. Each module with a `PART` is a part of `blockpost bench`.
"""
