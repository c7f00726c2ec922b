"""
What the admins have agreed that the chain shall do by itself: a contract is its guard and its terms.

Read in this order: dialect (the part of CEL that a guard may be written in), guard (a condition that holds or not).
"""
