"""
Making a site: the layer that may know everyone.

Read in this order: command, authority, gateway, inventory, admin, bulk, systemd, cli, demo.
"""
