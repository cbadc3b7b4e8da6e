"""Writes what an installation needs beside the programs: broker, database, services, backup. Starts none of it.

    python -m deploy office  --register FILE --out DIR --domain NAME     everything on one machine
    python -m deploy centre  ...                                         where the branches' brokers meet
    python -m deploy branch  --branch ID --centre NAME ...               a broker and a feed that outlive a cut line

plan.py says what is to be installed where. The other modules are texts, a subject a file, each a function of that plan.
folder.py and secrets.py are the only ones that touch the disk.
"""
