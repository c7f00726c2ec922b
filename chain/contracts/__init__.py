"""
What the admins have agreed that the chain shall do by itself: a contract is its guard and its terms.

Read in this order: terms (what an admin installs), variables and subject (what a guard may speak of), dialect (the part
of CEL that it may be written in), guard (a condition that holds or not), register (what is in force), docket (what of it
acts on an entry), counters, quorum, escalation, timers (what is due as time passes), runs (how a block says it).

For people: words (what a contract does, in sentences), phrases (what a guard says); and before it is in force, dryrun
(what it would have done to the history that there is), rehearsal (what would have followed from what was said).
"""
