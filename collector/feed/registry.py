"""Every kind of queue system that the feed can speak to: one line each. The settings have a field of the same name."""

from collector.feed import columns, csv_file, fqm, qmatic, qsystem, sql, theq
from collector.feed.source import Adapter

ADAPTERS = {
    adapter.kind: adapter
    for adapter in (
        Adapter("fqm", fqm.names_of, fqm.open_fqm, fqm.replay_fqm),
        Adapter("qsystem", qsystem.names_of, qsystem.open_qsystem, qsystem.replay_qsystem),
        Adapter("theq", theq.names_of, theq.open_theq, theq.replay_theq),
        Adapter("qmatic", qmatic.names_of, qmatic.open_qmatic, qmatic.replay_qmatic),
        Adapter("sql", columns.layout_of, sql.open_sql, sql.replay_sql),
        Adapter("csv", columns.layout_of, csv_file.open_csv, csv_file.replay_csv),
    )
}
