"""The scorecard's own code on real people: the public set of the Sichuan telecom-fraud contest of 2020; prints JSON.

    python -m bench.sichuan FOLDER_OR_ZIP

The set is fetched by hand and not part of this repository, since the contest's terms are not known: `Sichuan.zip` of
the public repository xxhu94/GAT-COBO, folder `data`, about 2 MB. It labels callers (6,106 users, 1,962 of them
fraudsters), so this measures the fit of points and not the rules. Each numeric column of the table becomes bits (above
or below its first fifth, its second, ...), as rules are, and the points are learned by `dialer.signals.scorecard`. Five
folds; the area under the curve of users that were not learned from. Needs the extra `learning`.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from dialer.signals.fitting import calibration, calibration_error, points_of

LABEL = "label"
PARTS = 5
FOLDS = 5


def tables(path: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each CSV file."""
    if path.is_dir():
        for file in sorted(path.rglob("*.csv")):
            yield file.name, file.read_text(encoding="utf-8-sig")
        return
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".csv"):
                yield Path(name).name, archive.read(name).decode("utf-8-sig")


def read(path: Path) -> tuple[Any, Any, list[str]]:
    """Figures of each user (a missing one is not a number), labels, and the names of the columns."""
    for _name, text in tables(path):
        rows = list(csv.DictReader(io.StringIO(text)))
        if not rows or LABEL not in rows[0] or len({row[LABEL] for row in rows}) < 2:
            continue
        names = [name for name in rows[0] if name != LABEL and _numeric(row[name] for row in rows)]
        figures = np.array([[_number(row[name]) for name in names] for row in rows])
        return figures, np.array([float(row[LABEL]) for row in rows]), names
    raise SystemExit(f"{path}: no CSV file with a column {LABEL!r} of 0 and 1")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _numeric(texts: Iterator[str]) -> bool:
    values = [_number(text) for text in texts]
    known = {value for value in values if value == value}  # noqa: PLR0124 - not a number
    # An index of the rows tells nothing of a user.
    return len(known) > 1 and known != set(map(float, range(len(values))))


def bits(train: Any, rows: Any) -> Any:  # noqa: ANN401 - numpy's
    """Above each fifth, and below it, of the users that are learned from: points are never negative, so both ways."""
    columns = []
    for n in range(train.shape[1]):
        known = train[:, n][~np.isnan(train[:, n])]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, PARTS + 1)[1:-1])) if len(known) else []
        for edge in edges:
            columns += [rows[:, n] > edge, rows[:, n] <= edge]
        columns.append(np.isnan(rows[:, n]))
    return np.array(columns, dtype=float).T


def measure(path: Path) -> dict[str, Any]:
    figures, labels, names = read(path)
    order = np.random.default_rng(1).permutation(len(labels))
    folds = np.empty(len(labels), dtype=int)
    folds[order] = np.arange(len(labels)) % FOLDS
    scores = np.zeros(len(labels))
    for fold in range(FOLDS):
        known = folds != fold
        matrix = bits(figures[known], figures[known])
        signs = [1] * matrix.shape[1]
        weights, none = np.ones(known.sum()), np.zeros(len(signs))
        points, _ = points_of(matrix, labels[known], weights, signs, none, folds_of=0)
        scores[~known] = bits(figures[known], figures[~known]) @ points
    slope, intercept, _ = calibration(scores, labels, np.ones(len(labels)))
    said = 1 / (1 + np.exp(-(slope * scores + intercept)))
    return {
        "users": len(labels), "fraudsters": int(labels.sum()), "columns": len(names), "folds": FOLDS,
        "auc": round(float(roc_auc_score(labels, scores)), 4),
        "calibration_error": round(calibration_error(said.tolist(), labels.tolist(), [1.0] * len(labels)), 4),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path)
    print(json.dumps(measure(parser.parse_args().path), indent=1))


if __name__ == "__main__":
    main()
