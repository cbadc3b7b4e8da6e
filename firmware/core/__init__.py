"""What a pad decides: no hardware, no network, no clock of its own. Runs unchanged under both Pythons."""
