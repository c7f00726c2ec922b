"""
`blockpost admin`: what an admin may do and see, a noun a module.

Read in this order: cli, commands, requests, printing, deeds, accounts, codes, joins, groups, contacts, duty, rota,
contracts, contractfile, certificates, sessions, records, ledger, log.
"""
