"""The demonstration's accounts: one for each role, of which each works, and none from a run before."""

from pathlib import Path

from api.access import passwords
from api.access.principal import token_of
from api.access.roles import ROLES
from collector.store import Store
from sim.accounts import LOGINS, open_accounts
from sim.office import register


def test_every_role_has_an_account_that_fits_it_and_a_password_for_this_run_only(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'demo.db'}") as store:
        store.load_register(register())
        first = open_accounts(store)
        second = open_accounts(store)
        people = {each.role: each for each in store.staff.everybody()}
        assert set(people) == set(ROLES) == set(LOGINS)
        for role, person in people.items():
            assert token_of(person).scopes == ROLES[role].scopes
            assert not ROLES[role].missing(person.limits)
        head = people["head_of_centre"]
        assert passwords.is_right(head.password, second) and not passwords.is_right(head.password, first)
