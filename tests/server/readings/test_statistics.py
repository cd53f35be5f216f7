"""The statistics of agreement against numbers printed in the papers they come from."""

from __future__ import annotations

import pytest

from server.readings.agreement.statistics import (
    NO_VARIATION,
    TOO_FEW,
    bland_altman,
    cohen_kappa,
    fleiss_kappa,
    icc_1_1,
    icc_2_1,
    mean_of,
    median_of,
    wilson,
)

# Shrout and Fleiss 1979, table 2: six targets, four judges. Table 4 prints ICC(1,1) = .17 and ICC(2,1) = .29.
JUDGED = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Bland and Altman 1986, table 1: peak flow by the large meter and the mini meter, first readings.
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
# Fleiss 1971 as worked through in textbooks: ten cases, fourteen readers, five categories; kappa 0.210.
FOURTEEN = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


def test_kappa_of_two_readers():
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    kappa = cohen_kappa(first, second)
    assert kappa.value == pytest.approx(0.4)
    assert kappa.n == 50
    # By hand for this table: a = 0.10972, b = 0.10188, c = 0.01; sqrt((a + b - c) / 50) / 0.5 = 0.1270.
    assert (kappa.high - kappa.low) / 2 / 1.96 == pytest.approx(0.1270, abs=1e-4)


def test_kappa_does_not_turn_with_the_order_of_the_readers():
    first, second = list("aabbccab"), list("abbbcaab")
    one, other = cohen_kappa(first, second), cohen_kappa(second, first)
    assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))


def test_kappa_says_when_it_has_nothing_to_say():
    assert cohen_kappa(["a"], ["a"]).why == TOO_FEW
    same = cohen_kappa(["a", "a", "a"], ["a", "a", "a"])
    assert (same.value, same.why) == (None, NO_VARIATION)
    assert cohen_kappa(["a", "b"], ["a", "b"]).value == pytest.approx(1)
    with pytest.raises(ValueError, match="same cases"):
        cohen_kappa(["a"], [])


def test_kappa_of_fourteen_readers():
    kappa = fleiss_kappa(FOURTEEN)
    assert kappa.value == pytest.approx(0.210, abs=5e-4)
    assert kappa.low < 0.21 < kappa.high
    with pytest.raises(ValueError, match="same number of readers"):
        fleiss_kappa([[2, 0], [1, 0]])
    assert fleiss_kappa([[2, 0], [2, 0]]).why == NO_VARIATION


def test_icc_of_the_paper():
    icc = icc_2_1(JUDGED)
    assert icc.value == pytest.approx(0.29, abs=5e-3)
    # The interval of the same data as widely printed: .019 to .761.
    assert (icc.low, icc.high) == pytest.approx((0.019, 0.761), abs=2e-3)


def test_icc_of_other_readers_in_each_case():
    icc = icc_1_1(JUDGED)
    assert icc.value == pytest.approx(0.17, abs=5e-3)
    # The interval of the same data as widely printed: -.133 to .723.
    assert (icc.low, icc.high) == pytest.approx((-0.133, 0.723), abs=2e-3)
    assert icc_1_1([sorted(row) for row in JUDGED]).value == pytest.approx(icc.value)  # who read is not asked
    assert icc_1_1([[1.0, 1.0], [2.0, 2.0]]).value == 1
    assert icc_1_1([[1.0, 1.0], [1.0, 1.0]]).why == NO_VARIATION
    assert icc_1_1([[1.0, 2.0]]).why == TOO_FEW


def test_the_median_and_its_order_statistics():
    """Printed tables of the sign test: 6 values 1st to 6th, 10 values 2nd to 9th, 15 values 4th to 12th."""
    for n, low, high in ((6, 1, 6), (10, 2, 9), (15, 4, 12)):
        median = median_of([float(value) for value in range(n, 0, -1)])
        assert (median.value, median.low, median.high, median.n) == ((n + 1) / 2, low, high, n)
    assert (median_of([3.0, 1.0]).value, median_of([3.0, 1.0]).low) == (2.0, None)
    assert median_of([]).why == TOO_FEW


def test_icc_sees_a_constant_offset():
    """Absolute agreement: a reader who always says 10 more does not agree."""
    plain = [[float(v), float(v)] for v in range(1, 8)]
    assert icc_2_1(plain).value == pytest.approx(1)
    assert icc_2_1([[a, b + 10] for a, b in plain]).value < 0.2
    assert icc_2_1([[1.0, 1.0], [1.0, 1.0]]).why == NO_VARIATION
    assert icc_2_1([[1.0, 2.0]]).why == TOO_FEW


def test_bland_altman_of_the_paper():
    plot = bland_altman(LARGE, MINI)
    assert plot.bias.value == pytest.approx(-2.1, abs=0.05)
    # The paper rounds the SD to 38.8 and takes 2 SD: -79.7 and 75.5; with 1.96 SD both lie a little nearer.
    assert plot.lower.value == pytest.approx(-2.1 - 1.96 * 38.8, abs=0.2)
    assert plot.upper.value == pytest.approx(-2.1 + 1.96 * 38.8, abs=0.2)
    # Interval of the bias as printed: -22.0 to 17.8; of the lower limit -114.3 to -45.1.
    assert (plot.bias.low, plot.bias.high) == pytest.approx((-22.0, 17.8), abs=0.1)
    assert plot.lower.high - plot.lower.value == pytest.approx(34.6, abs=0.4)
    assert plot.points[0] == (503.0, -18.0)
    assert bland_altman([1.0], [2.0]).bias.why == TOO_FEW


def test_proportions_and_means():
    # Wilson's interval for 8 of 10 is printed in many places as 0.490 to 0.943.
    eight = wilson(8, 10)
    assert (eight.value, eight.low, eight.high) == pytest.approx((0.8, 0.490, 0.943), abs=1e-3)
    assert wilson(0, 0).why == TOO_FEW
    assert wilson(0, 5).low == 0
    one = mean_of([3.0])
    assert (one.value, one.low, one.n) == (3.0, None, 1)
    three = mean_of([1.0, 2.0, 3.0])
    assert (three.low, three.high) == pytest.approx((2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5), abs=1e-3)
