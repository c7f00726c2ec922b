"""
An account at work: a sensor's agent, or a person at the command line. The only Python that opens messages.

Read in this order. Keys and sealing: errors, keys, identity, oaep, gcm, sealing, forward, password, backup. What is
remembered: document, addressbook, outbox. Who is believed: csr, root, crl, tls, rest, trust, addressing. At work:
client, certificate, joinfile, joining, rotation, inbox, window, link, renewal, reception, agent. Sensing: preset,
config, reading, output, senml, lines, child, sensors; what is made of it: episode, content, reporting, heartbeat,
losses, replaycheck; limits that people set: limits, changes; the readers: readers, recording, thermometer. Sounding:
annunciator, patterns, sounder, pager. The command line: explaining, printing, doctor, commands, cli.
"""
