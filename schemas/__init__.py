"""Every shape that crosses a boundary of the server: the wire mirrored in pydantic, tables, resources, periods.

It describes and generates documents (``python -m schemas``); it opens no connection and decides nothing.
"""
