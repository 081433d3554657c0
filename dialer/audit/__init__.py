"""The audit trail: who saw, changed or exported what, when and why."""
