"""Django made ready for a workspace, when first needed: one database alias a workspace, tables made on first use."""

from typing import TYPE_CHECKING

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

if TYPE_CHECKING:
    from winay.workspace import Workspace

# A decision and a look are on the disk before anything goes on; writers wait for each other.
OPTIONS = {"transaction_mode": "IMMEDIATE", "timeout": 60, "init_command": "PRAGMA synchronous=FULL;"}


def database(ws: "Workspace") -> str:
    """The alias of the workspace's decisions, for `.using(…)`; the tables are there when this returns."""
    alias = str(ws.decisions)
    if not settings.configured:
        settings.configure(
            INSTALLED_APPS=["winay.decisions"], DATABASES=_one("default", ":memory:"), USE_TZ=True, TIME_ZONE="UTC",
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        )  # fmt: skip
        django.setup()
    if alias not in connections.settings:
        made = connections.configure_settings(_one("default", ":memory:") | _one(alias, alias))
        connections.settings[alias] = made[alias]
        waiting = MigrationExecutor(connections[alias])
        if waiting.migration_plan(waiting.loader.graph.leaf_nodes()):
            call_command("migrate", database=alias, verbosity=0)
    return alias


def _one(alias: str, name: str) -> dict[str, dict[str, object]]:
    return {alias: {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": OPTIONS}}
