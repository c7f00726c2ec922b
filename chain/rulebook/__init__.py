"""
The rules, a noun a module: what an entry may do, given the state, and what it changes there.

Read in this order: context (what a rule sees and answers), accounts, contacts, messages, alarms (what messages and
answers make of an alert), contracts (what is in force, and what it does). `chain.rules` puts them together.
"""
