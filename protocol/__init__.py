"""The wire between pads, queue feeds and the collector, on one page. It is not a client: it opens no connection.

Everything here runs unchanged under CPython and MicroPython and imports nothing but ``json``.

Root topic ``zrazkovo/1``; the number is the version, repeated in every payload as ``"v": 1``. Payloads are JSON
objects whose numbers are integers; unknown keys, floats and anything over the size limit are refused.

    topic                  writer -> reader       retained  message (see messages.py)
    desk/<desk>/call       feed -> pad            yes       CallOpened | CallClosed
    desk/<desk>/vote       pad -> collector       no        Vote
    desk/<desk>/ack        collector -> pad       yes       Ack
    desk/<desk>/status     pad -> all             yes       PadStatus (also the last will, state "offline")
    desk/<desk>/health     pad -> all             no        Health
    desk/<desk>/command    IT -> pad              no        Command
    desk/<desk>/settings   IT -> pad              yes       Settings
    desk/<desk>/update     IT -> pad              yes       UpdateOffered | UpdateWithdrawn
    desk/<desk>/want       pad -> IT              no        Want
    desk/<desk>/piece      IT -> pad              no        Piece
    queue/<branch>/event   feed -> collector      no        QueueEvent
    queue/<branch>/ack     collector -> feed      yes       Ack
    queue/<branch>/pulse   feed -> IT             no        Pulse

Delivery. MQTT QoS 1 is not trusted: both writers of things that must not be lost (the pad's votes, the feed's
events) number them within a *journal* (a random id of the writer's start) and keep each one until an ``Ack`` for the
same journal reaches them. Each publishes only its oldest unacknowledged item, again and again with growing
pauses, so an ack for ``seq`` means that everything up to ``seq`` is committed. The collector answers every copy of what
it already has with the same ack. A feed begins a journal at every start, with the Unix time in seconds or where the
last one stopped, so that numbers go on rising and "the highest seq wins" holds across journals. A pad begins one at
every start too: what it still holds goes out again under the new id, and an ack that the broker kept for an older one
drops nothing. The collector knows such a copy by call, rating, ``after_ms`` and ``boot``.

Updates. What a pad is to run is offered in a retained message, so that one that was off the line learns of it when it
comes back. The pad asks for what it lacks by SHA-256 and offset, one piece at a time, over the connection it has: no
second connection, no second set of credentials, and a download goes on where it stopped.

History
    1   first version.
"""

VERSION = 1
