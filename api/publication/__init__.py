"""Publication: which figures the public may see, and why some not; editions, open data and the page for citizens.

    sheets.py   what was counted of a period, place by place, with the number of votes each operator gave
    rules.py    whether one figure may be published by itself: ten votes, three operators, not all alike
    cover.py    which further figures must be withheld so that no withheld one can be worked out from the others
    clustered.py  how much votes of a day resemble each other, told with an edition for whoever compares two
    closing.py  a month is closed: its edition, and that of the quarter or year it completes; corrections

Everything up to here is a function of counts. What may be published is decided before it is kept, and what is kept is
never changed (collector/store/editions.py); the public routes read nothing else.
"""
