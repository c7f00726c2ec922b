"""
What `blockpost device` can do, a noun a module. Each has an `add`, which gives the console its commands.

Read in this order: printing, service, accounts, agents, annunciators, recordings, messages, limits, overview, contacts.
"""
