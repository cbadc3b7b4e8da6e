"""What can be wrong with something from the wire.

ProtocolError
|-- BadTopic         the topic is not one of ours
|-- BadPayload       not JSON, too large, or a field is missing, unknown, of the wrong type or out of range
`-- UnknownVersion   well-formed, but of another version than protocol.VERSION
"""


class ProtocolError(ValueError):
    """Base of everything this package raises; str() is one sentence for a log."""


class BadTopic(ProtocolError):
    pass


class BadPayload(ProtocolError):
    pass


class UnknownVersion(ProtocolError):
    pass
