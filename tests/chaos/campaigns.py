"""Short campaigns with fixed seeds, a file each, so that they may run side by side.

Long ones: ``make chaos SEED=1 MINUTES=30 ARGS="--collectors 3 --database postgresql"``.
"""

import asyncio
import shutil
from pathlib import Path

import pytest

from sim.chaos.campaign import Outcome, able, city_of, live
from sim.chaos.schedule import POSTGRESQL, Options, plan
from sim.errors import NoInterpreter, SettingsError
from sim.postgres import find_programs
from sim.screen import Screen

SHORT = Options(minutes=0.6, desks=8)
TIMEOUT_S = 300  # of a machine with much else to do


def survive(options: Options, folder: Path, **more: object) -> Outcome:
    if shutil.which("mosquitto") is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    if options.database == POSTGRESQL and find_programs() is None:
        pytest.skip("postgresql is not installed: apt-get install postgresql")
    options = able(options)
    city = city_of(options)
    injuries = plan(options, tuple(desk.id for desk in city.desks))
    try:
        return asyncio.run(live(options, city, injuries, folder, Screen(), **more))  # type: ignore[arg-type]
    except (NoInterpreter, SettingsError) as error:
        pytest.skip(str(error))


def is_accounted_for(outcome: Outcome) -> None:
    """Nothing differs, and that means something: people voted, and things were broken."""
    assert outcome.differences == []
    assert outcome.oracle.votes > 0
    assert len(outcome.wounds) >= 3
