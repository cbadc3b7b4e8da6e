"""Every alert of deploy/prometheus fires when it should and keeps still when it should not: promtool plays the series.

A series is written as promtool has it: "0x60" is 61 samples of 0, "0+5x60" rises by five; a sample a minute, or an hour
where the alert thinks in days.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

RULES = Path(__file__).parents[2] / "deploy/prometheus/zrazkovo.rules.yml"
BUCKETS = 'zrazkovo_collector_commit_seconds_bucket{instance="a",le="%s"}'
GB, DAY = 1_000_000_000, 86_400


class Case(NamedTuple):
    """``ill`` makes it fire at ``at``, ``well`` does not."""

    ill: dict[str, str]
    well: dict[str, str]
    interval: str = "1m"
    at: str = "2h"


def one(series: str, ill: str, well: str, interval: str = "1m", at: str = "2h") -> Case:
    return Case({series: ill}, {series: well}, interval, at)


def latency(fast: str, slow: str) -> dict[str, str]:
    """Counts of commits within half a second, and of all."""
    return {BUCKETS % "0.25": fast, BUCKETS % "0.5": fast, BUCKETS % "1": slow, BUCKETS % "+Inf": slow}


DISK = 'zrazkovo_collector_database_disk_free_bytes{instance="a"}'
CASES = {
    "ZrazkovoCollectorDown": one('up{job="zrazkovo-collector",instance="a"}', "1x60 0x70", "0x110 1x10"),
    "ZrazkovoBrokerLost": one("zrazkovo_collector_broker_up", "0x130", "0x118 1x5"),
    "ZrazkovoDatabaseLost": one("zrazkovo_collector_database_up", "0x130", "1x130"),
    "ZrazkovoVotesUnjoined": one("zrazkovo_collector_waiting_oldest_seconds", "0+60x130", "0x70 0+60x60"),
    "ZrazkovoQuarantineGrowing": one(
        'zrazkovo_collector_messages_total{disposition="malformed"}', "0+1x130", "0x60 0+1x10 10x60"
    ),
    "ZrazkovoMessagesFailed": one('zrazkovo_collector_messages_total{disposition="failed"}', "0x100 1x30", "1x130"),
    "ZrazkovoFeedDown": one('up{job="zrazkovo-feed",instance="a"}', "0x130", "1x130"),
    "ZrazkovoFeedSilent": one('zrazkovo_fleet_faults{kind="feed_silent"}', "0x100 2x30", "0x130"),
    "ZrazkovoSourceDown": one('zrazkovo_feed_source_up{source="main",kind="fqm"}', "0x130", "0x100 1 0x8"),
    "ZrazkovoCommitsSlow": Case(latency("0+90x130", "0+100x130"), latency("0+100x130", "0+100x130")),
    "ZrazkovoDiskShort": Case({DISK: f"{GB}x130"}, {DISK: f"{50 * GB}x130"}),
    "ZrazkovoDiskShort, in days": Case({DISK: f"{50 * GB}-{GB}x30"}, {DISK: f"{50 * GB}-{GB // 100}x30"}, "1h", "20h"),
    "ZrazkovoCertificateEnds": one(
        'zrazkovo_collector_certificate_end_timestamp_seconds{what="broker"}', f"{20 * DAY}x10", f"{40 * DAY}x10", "1h"
    ),
    "ZrazkovoOutboxGrowing": one('zrazkovo_feed_outbox_oldest_seconds{branch="centre"}', "0+60x130", "0+2x130"),
    "ZrazkovoPadsHoldVotes": one("zrazkovo_pads_outbox", "0+2x130", "60x130"),
    "ZrazkovoFiguresDiffer": one("zrazkovo_recount_differences", "0x100 1x30", "0x130"),
    "ZrazkovoNoRecount": one("zrazkovo_recount_timestamp_seconds", "0x240", f"{3 * DAY}x240", "1h", "200h"),
    "ZrazkovoNoBackup": one("zrazkovo_backup_timestamp_seconds", "0x60", f"{DAY}x60", "1h", "50h"),
    "ZrazkovoNoBackup, of two collectors": Case(
        {'zrazkovo_backup_timestamp_seconds{instance="a"}': "0x60"},
        {
            'zrazkovo_backup_timestamp_seconds{instance="a"}': "0x60",
            'zrazkovo_backup_timestamp_seconds{instance="b"}': f"{DAY}x60",
        },
        "1h",
        "50h",
    ),
    "ZrazkovoPadsDark": one('zrazkovo_fleet_faults{kind="dark"}', "0x100 1x30", "0x130"),
    "ZrazkovoNobodyIsTold": one("zrazkovo_fleet_notices_late_seconds", "0+60x130", "0x130"),
}


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which("promtool")
    if not found:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    return subprocess.run([found, *arguments], capture_output=True, text=True, check=False, timeout=60)


def rules() -> list[dict[str, str | dict[str, str]]]:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, str | dict[str, str]]] = group["rules"]
    return found


def test_the_rules_are_well_formed() -> None:
    done = promtool("check", "rules", str(RULES))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("interval", ["1m", "1h"])
def test_each_alert_fires_when_it_should_and_only_then(tmp_path: Path, interval: str) -> None:
    tests = []
    for title, case in CASES.items():
        if case.interval != interval:
            continue
        alert = title.partition(",")[0]
        for series, expected in ((case.ill, [{"labels": "{}", "value": 1}]), (case.well, [])):
            firing = f'count(count by (alertname) (ALERTS{{alertname="{alert}", alertstate="firing"}}))'
            tests.append(
                {
                    "name": f"{title}: {'fires' if expected else 'keeps still'}",
                    "interval": case.interval,
                    "input_series": [{"series": name, "values": values} for name, values in series.items()],
                    "promql_expr_test": [{"expr": firing, "eval_time": case.at, "exp_samples": expected}],
                }
            )
    plan = {"rule_files": [str(RULES)], "evaluation_interval": interval.replace("1m", "2m"), "tests": tests}
    file = tmp_path / "alerts.test.yml"
    file.write_text(yaml.safe_dump(plan))
    done = promtool("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_its_cases_and_says_in_both_languages_what_to_do() -> None:
    assert {each["alert"] for each in rules()} == {title.partition(",")[0] for title in CASES}
    for each in rules():
        notes = each["annotations"]
        assert isinstance(notes, dict)
        assert set(notes) == {"summary", "summary_uk", "description", "description_uk"}, each["alert"]
        for name, text in notes.items():
            assert bool(re.search("[а-яіїєґ]", text)) == name.endswith("_uk"), f"{each['alert']}: {name}"
        values = [re.findall(r"{{.*?}}", notes[name]) for name in ("summary", "summary_uk")]
        assert values[0] == values[1], each["alert"]
