"""Requests for information: who asked, in which class and form, until when, and what they were given (order 4.4-4.6).

    rules.py     classes of requesters, forms, kinds: what the order and the law ask of each. Data
    clock.py     until when an answer is due, in working days of a calendar that is data. Pure
    case.py      what has happened to a request, and what may happen next. Pure
    answers.py   the figures of an answer, frozen when it is made
    letters.py   answer, refusal, notice and receipt as documents
    routes.py    ``/v1/requests``; pages.py the page Requests

A request is a row and the list of what happened to it; nothing of either is ever changed. A slip is taken back by one
more entry, which says so.
"""
