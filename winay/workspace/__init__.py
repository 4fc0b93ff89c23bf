"""Where is it kept? One folder: what sources delivered (lake), who people are (vault), what was computed (snapshots).

In: checked rows, delivered files, computed tables. Out: Ibis tables, Parquet files, bytes. Nothing here knows what a
table means.
"""

from winay.workspace.folder import Workspace, create, open_workspace

__all__ = ["Workspace", "create", "open_workspace"]
