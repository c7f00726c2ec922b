"""
The gateway: a broker, the one committer, a web server. It has no code that could open a message.

Read in this order: errors, tls, site, genesis, bursts, link, arrivals, checker, refusals, committer, doorkeeper, lock,
lifeline, supervisor, cli;
`broker` (the embedded MQTT broker); presence, relay, auditor, sessions, joins, `rest` (the web application), server;
vault, archive, backup (all of it in one file); doctor. And for a LAN: authority (who signs certificates is asked),
expiry, addresses, announce, welcome_page, welcome, web_client, lan_doctor.
"""
