"""The demo's units are imported without a fault, and the sample list finds nearly all of them."""

from __future__ import annotations

import csv
import io
from collections import Counter

from dialer.demo.accounts import make_accounts
from dialer.demo.generate_sample import COMMITTED_AT
from dialer.demo.organisation import HOME, organise
from dialer.demo.sample_list import HEADINGS, build
from dialer.domain.access import Role
from dialer.usecases.import_units import find_unit, list_units
from tests.store.reads.town import Town


def test_the_sample_list_finds_its_units_but_for_a_few(fresh_database: str):
    town = Town(fresh_database)
    organise(town.engine)
    index, _ = list_units(town.engine)
    column = HEADINGS.index("属地机构")
    rows = csv.reader(io.StringIO(build(COMMITTED_AT).decode("utf-8-sig")))
    texts = Counter(row[column] for row in rows if len(row) > column and row[1].startswith("YJ"))
    missed = {text: n for text, n in texts.items() if index.find(text) is None}
    assert max(len(unit.path) for unit in index) == 4
    assert 0.02 < sum(missed.values()) / sum(texts.values()) < 0.12
    assert "" in missed
    assert any(len(index.candidates(text)) > 1 for text in missed)
    assert any(not index.candidates(text) and index.near(text) for text in missed)
    counties = {found.path[1] for text in texts if (found := index.find(text)) and len(found.path) > 1}
    assert len(counties) == 7
    town.close()


def test_the_officer_serves_in_one_county_and_the_others_in_the_whole_centre(fresh_database: str):
    town = Town(fresh_database)
    organise(town.engine)
    index, _ = list_units(town.engine)
    units = {made.member.role: made.member.unit_id for made in make_accounts(town.engine)}
    assert units.pop(Role.OFFICER) == find_unit(index, HOME).id
    assert set(units.values()) == {None}
    town.close()
