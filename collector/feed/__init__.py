"""The feed: what a queue system says, turned into our queue events and into each desk's current call.

It is not the collector: it joins nothing. It stands near the queue system, one a system, and needs only the broker:
with the collector, database and api all down, pads still arm. Its own small store is written before a request is
answered, so it may die at any instant.
"""
