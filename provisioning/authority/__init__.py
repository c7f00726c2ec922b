"""
The authority: it makes, renews and revokes the certificates of a gateway that serves a LAN.

Read in this order: certificates, root, inventory, policy, stock, office, listener, kick, serve, reissue, cli.
"""
