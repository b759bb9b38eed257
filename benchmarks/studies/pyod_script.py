"""What a user of PyOD would write: read a CSV, fit IForest, score, write. The yardstick of `speed`."""

import sys

import pandas as pd
from pyod.models.iforest import IForest
from sklearn.preprocessing import StandardScaler

source, target = sys.argv[1:]
rows = pd.read_csv(source)
values = StandardScaler().fit_transform(rows)
rows["score"] = IForest(random_state=0).fit(values).decision_function(values)
rows.to_parquet(target)
