"""Outlets 网点: involved cards, what is done about an outlet, the monthly notice, and fairness of the checks."""
