"""One module a command. Each has add_arguments(parser) and run(arguments) -> exit code; neither imports another.

A module is imported only when its command is named, so that compiling needs no library for flashing.
"""
