"""Every refusal is data, and has its sentence in both languages."""

from __future__ import annotations
