"""A filter of success rates is saved under a name: the owner's alone, and not without end."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from dialer.core.errors import Invalid
from dialer.core.values import FilteredPage
from dialer.db import tables as t
from dialer.runtime.services import Services
from dialer.staff.filters import SavedFilter, delete_filter, save_filter, saved_filters
from tests.outcomes.town import MORNING, Scenario

RATES, CASES = FilteredPage


@pytest.fixture
def services(town: Scenario) -> Services:
    with town.tx() as tx:
        tx.execute(sa.delete(t.saved_filter))
    return town.services


def names(services: Services, login: str) -> list[str]:
    return [saved_filter.name for saved_filter in saved_filters(services, login, page=RATES)]


def test_a_filter_is_kept_as_it_is_named_and_replaced_by_its_name(services: Services):
    save_filter(services, "li", page=RATES, name=" b \t month ", query="by=grade")
    save_filter(services, "li", page=RATES, name="a", query="by=unit")
    save_filter(services, "bai", page=RATES, name="a", query="by=hour")
    save_filter(services, "li", page=RATES, name="b month", query="by=source")
    first, second = saved_filters(services, "li", page=RATES)
    assert first == SavedFilter(id=first.id, name="a", query="by=unit")
    assert second == SavedFilter(id=second.id, name="b month", query="by=source")
    with services.store.begin() as tx:
        [row] = tx.rows(sa.select(t.saved_filter).where(t.saved_filter.c.login == "bai"))
    assert (row["name"], row["query"], row["at"]) == ("a", "by=hour", MORNING)


def test_only_the_owner_deletes_it(services: Services):
    for name in ("a", "b"):
        save_filter(services, "li", page=RATES, name=name, query="by=grade")
    first, _ = saved_filters(services, "li", page=RATES)
    delete_filter(services, "bai", first.id)
    assert names(services, "li") == ["a", "b"]
    delete_filter(services, "li", first.id)
    assert names(services, "li") == ["b"]


def test_a_name_has_at_most_forty_characters(services: Services):
    save_filter(services, "li", page=RATES, name="x" * 40, query="by=grade")
    for name in ("", " ", "x" * 41):
        with pytest.raises(Invalid, match="has between 1 and 40 characters") as refused:
            save_filter(services, "li", page=RATES, name=name, query="by=grade")
        assert refused.value.field == "name"
    assert names(services, "li") == ["x" * 40]


def test_thirty_are_saved_and_one_of_them_is_replaced(services: Services):
    for number in range(30):
        save_filter(services, "li", page=RATES, name=f"{number}", query="by=grade")
    with pytest.raises(Invalid, match="30 filters are saved already") as refused:
        save_filter(services, "li", page=RATES, name="one more", query="by=grade")
    assert refused.value.field == "name"
    save_filter(services, "li", page=RATES, name="7", query="by=hour")
    save_filter(services, "bai", page=RATES, name="one more", query="by=grade")
    assert len(names(services, "li")) == 30
    assert [
        saved_filter.query
        for saved_filter in saved_filters(services, "li", page=RATES)
        if saved_filter.name == "7"
    ] == ["by=hour"]


def test_each_page_has_filters_of_its_own_and_a_name_is_used_once(services: Services):
    save_filter(services, "li", page=RATES, name="mine", query="by=grade")
    save_filter(services, "li", page=CASES, name="large", query="sort=money")
    with pytest.raises(Invalid, match="is the name of a filter of another page"):
        save_filter(services, "li", page=CASES, name="mine", query="sort=grade")
    [of_rates], [of_cases] = (saved_filters(services, "li", page=page) for page in FilteredPage)
    assert (of_rates.query, of_cases.query) == ("by=grade", "sort=money")
    delete_filter(services, "li", of_rates.id)
    assert names(services, "li") == []
    assert saved_filters(services, "li", page=CASES) == [of_cases]
