"""Every kind of queue system that the feed can speak to: one line each. The settings have a field of the same name."""

from collector.feed.fqm import names_of, open_fqm, replay_fqm
from collector.feed.source import Adapter

ADAPTERS = {adapter.kind: adapter for adapter in (Adapter("fqm", names_of, open_fqm, replay_fqm),)}
