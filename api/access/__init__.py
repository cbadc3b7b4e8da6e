"""Who may see what: roles, limits, passwords, sign-in elsewhere. The table that a lawyer reads is matrix.md.

roles.py       what each role of the order may do, with the clause beside it
principal.py   a person's session becomes the Token that every route asks
reach.py       limits: own branch, own organisation, own direction, oneself
operators.py   reading at the level of an operator or desk: purpose, order, log
"""
