"""The chaos campaign: a centre at work on real parts, injured at moments drawn from a seed, then counted row by row.

schedule.py   what is done to whom and when: a pure function of the seed
centre.py     broker, feed, collectors, fleet, api, pads: started, and started again whenever they die
broker.py, database.py, room.py, clocks.py, flash.py, programs.py
              what it is made of: Mosquitto with TLS, SQLite or PostgreSQL on a small disk, clocks that can be moved
careful.py    clients who vote only on a pad that certainly stands for their own call
injuries.py   how each injury is inflicted, and healed
recovery.py   how long it took after each until a fresh vote was in the database
campaign.py   one run from beginning to verdict
report.py     what a person reads of it

Seeds replay the schedule and what people wish; the machine's own timing differs from run to run, so a failing seed may
have to be run a few times.

Not inflicted
    the feed's clock set back   what the queue says then is dated later than the feed's "now" and becomes late to the
                                desk: nothing is miscounted, but no pad is armed until the clock has caught up
    the queue's clock           collector/feed/clock.py has tests of its own; calls are named by its moments here
    TCP bytes out of order      TCP does not do that; whole messages come again, mixed ("repeat")
"""
