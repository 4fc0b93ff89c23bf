"""What did people decide? Django models only: links between persons, and who looked at whom.

Django is made ready here: settings when nobody gave any, and one database alias a workspace, its tables made on first use.
"""

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from winay.workspace import Workspace

NOWHERE = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
# A decision and a look are on the disk before anything goes on; writers wait for each other.
OPTIONS = {"transaction_mode": "IMMEDIATE", "timeout": 60, "init_command": "PRAGMA synchronous=FULL;"}


def database(ws: Workspace) -> str:
    """The alias of the workspace's decisions, for `.using(…)`; the tables are there when this returns."""
    alias = str(ws.decisions)
    if alias not in connections.settings:
        one = {alias: {"ENGINE": "django.db.backends.sqlite3", "NAME": alias, "OPTIONS": OPTIONS}}
        connections.settings[alias] = connections.configure_settings(NOWHERE | one)[alias]
        waiting = MigrationExecutor(connections[alias])
        if waiting.migration_plan(waiting.loader.graph.leaf_nodes()):
            call_command("migrate", database=alias, verbosity=0)
    return alias


if not settings.configured:  # by the command line and the notebook; the web has its own
    keys = "django.db.models.BigAutoField"
    settings.configure(INSTALLED_APPS=[__name__], DATABASES=NOWHERE, USE_TZ=True, DEFAULT_AUTO_FIELD=keys)
    django.setup()  # models exist only once the settings do
