"""What runs on IT's computer, under CPython: building the pad's files."""
