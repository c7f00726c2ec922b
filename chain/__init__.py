"""
What the network agrees on. No secret, no network, no clock of its own; the only I/O is SQLite.

Read in this order: errors, encoding, identity, ed25519, jws, entry, body, wire, author, merkle, checkpoint,
receipt, block, waiting, recall, state, rules, store, chain, export, audit. Beside them: token and joincode (how accounts prove
themselves and come to be), api, lists and health (REST documents), durable (files), clock, finding and machine
(what doctors look at), notify (the service manager), console and cli (the command line).
"""
