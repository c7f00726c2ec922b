"""
REST: what the gateway tells, and takes, over HTTP. It never writes the chain.

Read in this order: problems, documents, snapshot, desk, parties, submission, tries, app; then a blueprint for each
noun: login, friends, messages, site, invites, accounts, entries, intents, inbox, events, tiles, ledger, admin, audit,
joins, refusals, certificates, health, alive, metrics; and what all of it looks like from outside: routes, openapi,
reference.
"""
