"""Figures: rates, reports by any dimension, their rollup and its verification, bulletins, the page of success rates."""
