"""Reports on paper: a period's figures of the centre, a branch, a direction or operators, as PDF, XLSX and CSV.

    order.py     what may be asked, and by whom
    content.py   the figures that it holds; gathering.py: out of the store
    changes.py   what changed beyond noise
    text.py      everything that is said, in one language; drawing.py: its charts; method.py: how to read it
    paper.py     the PDF (report.typ); sheets.py: the workbook; rows.py: the CSV
    making.py    all of it together: made once, kept for good
    routes.py    the api; pages.py: the page; chore.py: the night's; cli.py: the command line

A report is a copy that people keep. So it says of itself when it was made, from which register, and how far it counts.
"""
