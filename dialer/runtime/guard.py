"""A guard, run as a script: `python -I -S guard.py PARENT FOLDER`. The arguments identify it in the process list.

The code is in the module `guarding.py`, which Python keeps compiled: there is a guard for every process, and compiling
it would take half a megabyte in each.
"""

import sys

sys.path.insert(0, __file__.rpartition("/")[0])
from guarding import run  # type: ignore[import-not-found]  # run as a script, it is in no package

del sys.path[0]
sys.exit(run())
