"""Plans what media cost before anything is asked: sizes, grids, tokens, positions, memory. No weights.

Every figure follows from a config and the sizes of the media; the steps are written out, so that a reader can check
them. One plan is one question to one model; `plan_table` lays many files and models side by side, and
`plan_toolchains` says what the defaults of each common tool would make of the same file.
"""

from qwenvl.plan.parameters import parameters_by_part
from qwenvl.plan.planned_models import CHECKPOINTS, PUBLISHED
from qwenvl.plan.planning import Plan, measured, plan
from qwenvl.plan.table import Table, files_of, name_of, plan_table
from qwenvl.plan.toolchains import Outcome, Toolchain, plan_toolchains
from qwenvl.plan.units import in_bytes, percent

__all__ = [
    "CHECKPOINTS",
    "PUBLISHED",
    "Outcome",
    "Plan",
    "Table",
    "Toolchain",
    "files_of",
    "in_bytes",
    "measured",
    "name_of",
    "parameters_by_part",
    "percent",
    "plan",
    "plan_table",
    "plan_toolchains",
]
