"""Shares at one look: of few among many, drawn towards the mean of all."""

from __future__ import annotations

import math

from dialer.core.intervals import (
    Estimate,
    Prior,
    beta_cdf,
    beta_quantile,
    estimate,
    prior_of,
    shrunk_estimate,
)


def test_the_beta_distribution_is_that_of_the_books():
    assert math.isclose(beta_cdf(0.3, 2, 5), 0.579825, abs_tol=1e-6)
    assert math.isclose(beta_cdf(0.5, 3, 3), 0.5, abs_tol=1e-9)
    assert math.isclose(beta_quantile(0.975, 1, 1), 0.975, abs_tol=1e-9)
    assert math.isclose(beta_cdf(beta_quantile(0.025, 12.5, 9000), 12.5, 9000), 0.025, abs_tol=1e-9)


def test_few_openings_are_drawn_to_the_mean_and_many_stand_for_themselves():
    prior = Prior(mean=0.001, strength=2000)
    few, many = shrunk_estimate(1, 10, prior), shrunk_estimate(1000, 10_000, prior)
    assert few.share < 0.002
    assert few.low < prior.mean < few.high
    assert many.low > 0.07
    assert prior_of([]).mean == 0
    assert prior_of([(0, 100), (0, 200)]).mean == 0
    assert shrunk_estimate(0, 100, prior_of([(0, 100)])) == estimate(0, 100)
    assert shrunk_estimate(0, 0, prior_of([])) == Estimate(share=0.0, low=0.0, high=1.0)
    alike = prior_of([(1, 1000)] * 20)
    apart = prior_of([(0, 1000)] * 10 + [(20, 1000)] * 10)
    assert alike.strength > 100 * apart.strength
    found = estimate(5, 10)
    assert found is not None
    assert (round(found.low, 3), round(found.high, 3)) == (0.237, 0.763)
    assert estimate(0, 0) is None
