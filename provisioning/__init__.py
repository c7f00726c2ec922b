"""
Making a site: the layer that may know everyone.

Read in this order: command, inventory, admin, bulk, systemd, cli, demo.
"""
