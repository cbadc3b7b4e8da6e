"""What can go wrong when an installation is written.

DeployError        an argument or a file cannot be used
`-- WouldChange    files are there already and differ; nothing was written
"""


class DeployError(Exception):
    """str() is one sentence for a person."""


class WouldChange(DeployError):
    pass
