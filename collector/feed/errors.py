"""What can stop the feed, apart from its database (collector.errors.StoreError).

FeedError
|-- BadSettings   a key of the settings or of the register is missing, unknown or wrong; exit 2
`-- SourceDown    a polled queue system gave no usable answer
"""


class FeedError(Exception):
    """Base of everything this package raises; str() is one sentence for a log."""


class BadSettings(FeedError):
    pass


class SourceDown(FeedError):
    pass
