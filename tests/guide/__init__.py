"""
The install guide of `docs/operations.md`, tried: its own commands, in their order, on machines that have nothing.

Read in this order: document, typist, network, container, prefix, place, clinician.
"""
