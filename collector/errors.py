"""What can go wrong in the collector, apart from what a message says (that is an answer, see collector/model.py).

CollectorError
|-- SettingsError        the configuration is not usable; the process ends with exit code 2
|-- RegisterError        the register file is not usable
|-- BackupError          a backup cannot be made or put back; what was there stays as it was
|-- BrokerError          the broker cannot be reached or refuses us; trying again may help
`-- StoreError           the database says no
    |-- StoreUnavailable     it cannot be reached, is locked or full; nothing was written, trying again may help
    |-- NotHeld              a value that no column can hold: a NUL in a text, half a letter, a number too large
    |-- NewerDatabase        it was migrated by a newer version of this program
    `-- Declined             what was asked makes no sense to it; nothing was written
        |-- NotThere             it names something that is not in the database
        `-- OutOfTurn            it would make sense at another time
"""


class CollectorError(Exception):
    """Base of everything this package raises; str() is one sentence for a person."""


class SettingsError(CollectorError):
    pass


class RegisterError(CollectorError):
    pass


class BackupError(CollectorError):
    pass


class BrokerError(CollectorError):
    pass


class StoreError(CollectorError):
    pass


class StoreUnavailable(StoreError):
    pass


class NotHeld(StoreError):
    pass


class NewerDatabase(StoreError):
    pass


class Declined(StoreError):
    pass


class NotThere(Declined):
    pass


class OutOfTurn(Declined):
    pass
