"""Filters of a page (*Success rates*, *Cases*) that a person has saved under a name. Nobody else sees them."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.errors import Invalid
from dialer.core.text import Text, gettext_noop
from dialer.core.values import FilteredPage
from dialer.db import tables as t
from dialer.db.unit_of_work import record_of
from dialer.runtime.services import Services

LONGEST_NAME = 40
MOST_SAVED = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFilter:
    """A saved filter; `query` is the query string of the page's address."""

    id: int
    name: str
    query: str


def saved_filters(services: Services, login: str, *, page: FilteredPage) -> list[SavedFilter]:
    """The filters of this page that a person has saved, by name."""
    c = t.saved_filter.c
    with services.store.begin() as tx:
        rows = tx.rows(sa.select(t.saved_filter).where(c.login == login, c.page == page).order_by(c.name))
        return [record_of(SavedFilter, row) for row in rows]


def save_filter(services: Services, login: str, *, page: FilteredPage, name: str, query: str) -> None:
    """Saves a filter; it replaces one with the same name. Raises `Invalid` for a name that is empty, too long or
    that of a filter of another page, and for more than `MOST_SAVED` of a page.
    """
    given = " ".join(name.split())
    if not 1 <= len(given) <= LONGEST_NAME:
        problem = Text("has between 1 and %(most)s characters", most=LONGEST_NAME)
        raise Invalid(field="name", problem=problem)
    c = t.saved_filter.c
    with services.store.begin() as tx:
        kept = tx.scalar(
            sa.select(sa.func.count())
            .select_from(t.saved_filter)
            .where(c.login == login, c.page == page, c.name != given)
        )
        if kept >= MOST_SAVED:
            raise Invalid(
                field="name",
                problem=Text("%(most)s filters are saved already", most=MOST_SAVED),
                fix=gettext_noop("delete one first"),
            )
        put = insert(t.saved_filter).values(
            login=login, page=page, name=given, query=query, at=services.clock.now()
        )
        mine = put.on_conflict_do_update(
            index_elements=["login", "name"], set_={"query": put.excluded.query}, where=c.page == page
        )
        if tx.one(mine.returning(c.id)) is None:
            raise Invalid(field="name", problem=gettext_noop("is the name of a filter of another page"))


def delete_filter(services: Services, login: str, filter_id: int) -> None:
    """Deletes a filter of this person; does nothing for one of somebody else."""
    c = t.saved_filter.c
    with services.store.begin() as tx:
        tx.execute(sa.delete(t.saved_filter).where(c.login == login, c.id == filter_id))
