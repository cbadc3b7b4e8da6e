"""Signals of integrity: reasons for a person to look, computed for months that are over (domain study 6.6).

    month      a month's calls by operator       votes, rhythm, silence, levels, devices   one family of tests each
    peers      the null model that most share    registry   what each signal is and why it may mean nothing
    scan       all tests of a month together     chore      the work of the night: store -> scan -> store

Never proof and never a sanction (order P4.8). Nothing here changes a vote or a figure: a signal is written beside them,
seen by those who may, and closed by a person who says what it was. The first two months are only for learning how
often what occurs.
"""
