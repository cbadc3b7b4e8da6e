"""The words that fields of messages are made of, where more than one part of the system must know them."""

# What a queue system can say (queue-systems study, section 5). Only "called" is certain to come from every one.
EVENT_TYPES = (
    "issued",
    "called",
    "recalled",
    "recovered",  # found at a desk by an adapter that has just started; nobody heard it being called
    "started",
    "service_switched",  # the same client, at the same desk, goes on to another service
    "finished",
    "no_show",
    "left",
    "transferred",
    "held",
    "requeued",
    "removed",
    "closed",  # ours: the feed closes a call that no event of the queue closed; ``reason`` says why
    "operator_opened",
    "operator_closed",
    "operator_paused",
    "reset",
)
# What a pad was doing when it hung or crashed; what its last update has come to.
STEPS = ("starting", "buttons", "network", "storage", "update", "self_test")
UPDATE_STATES = ("none", "loading", "waiting", "trial", "done", "refused", "no_space", "rolled_back")
# Why the feed closed a call that no event of the queue did.
CLOSE_REASONS = (
    "next_call",
    "absent",  # the next was called before anybody could have come to the desk, and nothing was heard meanwhile
    "void",  # likewise within seconds: a call that its queue system took back
    "end_of_day",
    "idle",
    "operator_closed",
    "operator_moved",
    "resumed",  # its client was called again: the call before, ended by implication, had not been the last
    "called_elsewhere",
    "reset",
)
