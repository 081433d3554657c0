"""Who is on duty: rosters by unit and kind of work, their months, and what changes them."""
