"""The console: pages for staff, each behind the permission that it declares."""
