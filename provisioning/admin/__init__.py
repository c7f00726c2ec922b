"""
`blockpost admin`: what an admin may do and see, a noun a module.

Read in this order: cli, requests, table, accounts, codes, joins, groups, contacts, certificates, sessions, records, ledger,
log.
"""
