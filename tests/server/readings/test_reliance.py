"""Who went over to the algorithm, and was it right? On rows of voxels that can be read by eye."""

from __future__ import annotations

import numpy as np
import pytest

from server.readings.agreement.reliance import Judged, Reliance, count, judge_places, reliance_json


def flat(text: str) -> np.ndarray:
    return np.array([int(one) for one in text], np.uint8)


#               place 1   place 2   place 3   place 4
FIRST = flat("0 1111 0 0000 0 1111 0 0000 0".replace(" ", ""))
ALGORITHM = flat("0 0000 0 1111 0 0000 0 1111 0".replace(" ", ""))
RUNS = np.array([[1, 4, 1], [6, 4, 2], [11, 4, 3], [16, 4, 4]])


def test_the_four_cases():
    settled = flat("0 0000 0 1111 0 1111 0 0000 0".replace(" ", ""))  # the algorithm was right in 1 and 2
    submitted = flat("0 0000 0 0000 0 0000 0 0000 0".replace(" ", ""))  # went over in 1 and 3
    judged = judge_places(RUNS, FIRST, ALGORITHM, submitted, settled)
    assert judged == [
        Judged(n=1, is_right=True, has_changed=True),
        Judged(n=2, is_right=True, has_changed=False),
        Judged(n=3, is_right=False, has_changed=True),
        Judged(n=4, is_right=False, has_changed=False),
    ]
    counts = count(judged, [4, 10, 6])
    assert (counts.changed_right, counts.kept_right, counts.changed_wrong, counts.kept_wrong) == (1, 1, 1, 1)
    told = reliance_json(counts)
    assert told["over_reliance"]["value"] == told["under_reliance"]["value"] == 0.5
    assert told["median_seconds"] == 6


def test_a_place_of_two_runs_goes_by_its_majority():
    runs = np.array([[1, 4, 7], [11, 4, 7]])
    settled = flat("0 0000 0 0000 0 0111 0 0000 0".replace(" ", ""))  # 5 voxels with the algorithm, 3 with the read
    [judged] = judge_places(runs, FIRST, ALGORITHM, FIRST, settled)
    assert judged == Judged(n=7, is_right=True, has_changed=False)


def test_what_was_settled_otherwise_judges_nobody():
    """The adjudicator drew a third outline there, with another label: neither was right."""
    settled = flat("0 2222 0 1111 0 1111 0 0000 0".replace(" ", ""))
    assert [one.n for one in judge_places(RUNS, FIRST, ALGORITHM, FIRST, settled)] == [2, 3, 4]


def test_nothing_judged_says_so():
    told = reliance_json(Reliance())
    assert told["over_reliance"]["value"] is None
    assert told["over_reliance"]["why"] == "too_few_cases"
    assert told["median_seconds"] is None
    both = Reliance(changed_wrong=1, seconds=(2.0,)) + Reliance(kept_wrong=3, seconds=(4.0,))
    assert reliance_json(both)["over_reliance"]["value"] == pytest.approx(0.25)
