"""The office's reading side: figures, desks and live state over HTTP, and the pages that show them.

It writes nothing but sessions and the access log, knows no broker, and never returns a single vote
(order P3.2e, DESIGN section 3, point 9).
"""
