"""structlog as we use it: without rich, which it would import for tracebacks that show local variables. Ours are plain,
since those variables are personal data; and rich is seven megabytes in every process of a service at rest.
"""

from __future__ import annotations

import sys

_NAME = "rich"
_is_hidden = _NAME not in sys.modules
if _is_hidden:
    # Importing it fails until this is taken back; structlog then does without.
    sys.modules[_NAME] = None  # type: ignore[assignment]
try:
    import structlog
finally:
    if _is_hidden:
        del sys.modules[_NAME]

__all__ = ["structlog"]
