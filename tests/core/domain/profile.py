"""How long Hypothesis looks: the same examples every time under CI, new ones at a desk."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

STEADY = settings(deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow])
STORIES = settings(STEADY, max_examples=300, stateful_step_count=40)
