"""From queue and pads to figures: the feed (collector.feed) and the collector proper, two processes, one package.

The collector takes messages from the broker, joins votes with calls, keeps both with their daily roll-ups in one
transaction and acknowledges afterwards. It answers no question of people: that is the api's work, through
``collector.store``.
"""
