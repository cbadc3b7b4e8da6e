"""The chaos campaign: a centre at work on real parts, injured at moments drawn from a seed, then counted row by row.

schedule.py   what is done to whom and when: a pure function of the seed
centre.py     broker, feed, collectors, fleet, api, pads: started, and started again whenever they die
careful.py    clients who vote only on a pad that certainly stands for their own call
injuries.py   how each injury is inflicted, and healed
recovery.py   how long it took after each until a fresh vote was in the database
campaign.py   one run from beginning to verdict
report.py     what a person reads of it
"""
