"""The page of settings: the value of each, where it is set, and what a restart would change."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import SettingsError
from dialer.runtime.settings_table import SettingRow, settings_table
from dialer.web.console import CurrentRequest, PageSection

setting_pages = PageSection()


@setting_pages.get("/settings", act=Permission.SEE_SETTINGS)
def settings(request: CurrentRequest, text: Annotated[str, Query(max_length=100)] = "") -> Response:
    """Every setting of the web process, or those that match the words."""
    request.check_sees_whole_centre()
    refused, rows = "", list[SettingRow]()
    try:
        rows = settings_table(request.app.settings)
    except SettingsError as fault:
        refused = request.refusal(fault)
    plan = request.services.policies.in_force()
    return request.page(
        "console/settings.html",
        plan=None if plan is None else plan.number,
        text=text,
        refused=refused,
        found=[row for row in rows if row.matches(text)],
        changed=[row for row in rows if row.is_changed],
    )
