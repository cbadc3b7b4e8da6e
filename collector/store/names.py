"""The one table with names of persons: who an operator's id stands for. Only Book calls it; nothing here is logged."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, delete, insert, select

from schemas.register_tables import operator_name


def read(connection: Connection) -> dict[str, str]:
    """Names by operator."""
    return {row.operator: row.name for row in connection.execute(select(operator_name))}


def write(connection: Connection, names: Mapping[str, str], operators: Collection[str]) -> None:
    """Makes the names equal to ``names``, but for those of nobody in ``operators``."""
    connection.execute(delete(operator_name))
    rows = [{"operator": each, "name": name} for each, name in sorted(names.items()) if each in operators]
    if rows:
        connection.execute(insert(operator_name), rows)
