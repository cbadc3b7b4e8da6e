"""Evidence for the Common Assessment Framework and for certification: what our own data can honestly support.

    model.py        the sub-criteria and requirements: which measures support them, and what nothing here supports
    measures.py     what is measured, in words
    series.py       its values period by period, out of the store
    judging.py      trend, targets, the suggested band: rules over values (domain study 3.4)
    assembling.py   all of it as one resource
    paper.py        a sheet of paper a sub-criterion (sheet.typ); sheets.py: the workbook
    routes.py       the api

No score is ever given: assessors give scores, with reasons of their own, before they see a suggestion.
"""
