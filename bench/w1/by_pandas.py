"""The same work in pandas, a column at a time: no Python loop over subjects."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from winay.core.ages import Age, after
from winay.programme.load import Programme
from winay.programme.schedule import Schedule

FAR = np.int64(1 << 30)


def figures(folder: Path, programme: Programme, age: Age, months: NDArray[np.int32]) -> NDArray[np.int64]:
    """int64 [2, month, district]: who completed the package by `age`, and who reached it. months: starts and one more."""
    children = pd.read_parquet(folder / "children.parquet")
    children["birth"] = _days(children["birth"])
    records = pd.read_parquet(folder / "services.parquet")
    records["day"] = _days(records["day"])
    births = children["birth"].to_numpy()
    judged = after(age, births)
    complete = np.ones(len(children), bool)
    for name, schedule in programme.schedules.items():
        mine = records.loc[records["service"] == programme.service_numbers[name], ["subject", "day"]]
        for delivery, received in zip(schedule.deliveries, _received(schedule, mine, births), strict=True):
            complete &= (after(delivery.age.by, births) >= judged) | (received <= judged)  # type: ignore[arg-type]
    frame = pd.DataFrame({"district": children["district"], "met": complete})
    frame["month"] = np.searchsorted(months, judged, side="right") - 1
    inside = frame[(frame["month"] >= 0) & (frame["month"] < len(months) - 1)]
    told = inside.groupby(["month", "district"])["met"].agg(["sum", "count"])
    shape = pd.MultiIndex.from_product([range(len(months) - 1), range(1891)])
    return told.reindex(shape, fill_value=0).to_numpy().T.reshape(2, len(months) - 1, 1891)


def _days(dates: pd.Series) -> pd.Series:
    return pd.to_datetime(dates).astype("datetime64[s]").astype("int64") // 86400


def _received(schedule: Schedule, records: pd.DataFrame, births: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """For each delivery the day each child received it, FAR where it did not."""
    records = records[records["day"].to_numpy() >= births[records["subject"]]]
    owner, day = records["subject"].to_numpy(), records["day"].to_numpy()
    last = np.full(len(births), -FAR)
    open_ = np.ones(len(births), bool)
    result = []
    for delivery in schedule.deliveries:
        first = np.maximum(after(delivery.age.valid, births), last + 1)
        for gap in delivery.gaps:
            counted = last > -FAR
            first[counted] = np.maximum(first[counted], after(gap.clock.valid, last[counted]))
        until = delivery.age.until
        final = after(until, births) if isinstance(until, Age) else np.full(len(births), FAR)
        fits = (day >= first[owner]) & (day <= final[owner]) & open_[owner]
        taken = records[fits].drop_duplicates("subject")
        received = np.full(len(births), FAR)
        received[taken["subject"]] = taken["day"]
        last = np.where(received < FAR, received, last)
        if schedule.in_sequence:
            open_ &= received < FAR
        result.append(received)
    return result
