"""Run as a script (`python -I -S guard.py PARENT FOLDER`; the arguments are there to be seen by others): a guard.

All it does is in `guarding.py`, a module, which Python keeps compiled: there is a guard for every process, and
compiling it would leave half a megabyte behind in each.
"""

import sys

sys.path.insert(0, __file__.rpartition("/")[0])
from guarding import run  # type: ignore[import-not-found]  # it is no part of a package here

del sys.path[0]
sys.exit(run())
