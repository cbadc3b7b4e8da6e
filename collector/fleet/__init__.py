"""The fleet service: watches every pad, tells people what is wrong, and does what IT asks of pads.

    broker ─► watch.py ─► faults, flags ─┐                    ┌─► alerts.py ─► e-mail, webhooks
    broker ◄─ shelf.py (pieces of a release)                  │
    broker ◄─ rollout.py, commands.py  ◄─┴─ store (the api and the command line write their wishes there)
    broker's password file ◄─ passwords.py ◄── registered pads

It is IT's user at the broker and never in the way: with it down pads arm, votes count and the queue goes on. Decisions
are pure (watch.py, rollout.py); service.py carries them out.
"""
