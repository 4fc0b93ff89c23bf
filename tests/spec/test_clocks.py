"""What a delivery is bounded by."""

from collections.abc import Callable

Spec = Callable[..., None]


def test_windows_are_closed_on_both_sides(spec: Spec) -> None:
    """A record on the first or on the last day counts."""
    spec(
        standard="deliveries: [{from: 10d, by: 20d}, {from: 21d, by: 30d}]",
        born="2024-01-01",
        records="2024-01-11 2024-01-31",
        on="2024-02-10",
        expect="""
            delivery | received   | status
            1        | 2024-01-11 | on_time
            2        | 2024-01-31 | on_time
        """,
    )


def test_left_out_hands(spec: Spec) -> None:
    """Nobody wrote more than `from` and `by`: it counts from `from`, is called then, and counts no longer after `by`."""
    spec(
        standard="deliveries: [{from: 2m, by: 3m}, {from: 4m}]",
        born="2024-01-15",
        on="2024-03-01",
        expect="""
            delivery | valid      | from       | due        | by         | until      | status
            1        | 2024-03-15 | 2024-03-15 | 2024-03-15 | 2024-04-15 | 2024-04-15 | not_due
            2        | 2024-05-15 | 2024-05-15 | 2024-05-15 |            |            | not_due
        """,
    )


def test_months_of_who_was_born_at_the_end_of_one(spec: Spec) -> None:
    """A day the month does not have becomes its last one."""
    spec(
        standard="deliveries: [{from: 1m, by: 3m - 1d}]",
        born="2023-01-31",
        on="2023-02-01",
        expect="""
            from       | by
            2023-02-28 | 2023-04-29
        """,
    )


def test_months_that_roll_on(spec: Spec) -> None:
    """With `month_end: next` it becomes the first of the next month."""
    spec(
        standard="""
            month_end: next
            deliveries: [{from: 1m, by: 3m - 1d}]
        """,
        born="2023-01-31",
        on="2023-02-01",
        expect="""
            from       | by
            2023-03-01 | 2023-04-30
        """,
    )


def test_grace_lets_a_record_count_early(spec: Spec) -> None:
    """`valid` is `from` less the grace; before `valid` nothing counts, before `from` nothing is due."""
    spec(
        standard="""
            grace: 4d
            deliveries: [{from: 12m, by: 13m}]
        """,
        born="2023-01-10",
        records="2024-01-05 2024-01-06",
        on="2024-01-08",
        expect="""
            valid      | from       | received   | status
            2024-01-06 | 2024-01-10 | 2024-01-06 | on_time
        """,
    )


def test_catch_up(spec: Spec) -> None:
    """With `catch_up` a record still counts after `by`, late."""
    spec(
        standard="""
            catch_up: true
            deliveries: [{from: 2m, by: 3m}, {from: 4m, by: 5m}]
        """,
        born="2024-01-01",
        records="2024-08-01",
        on="2024-08-02",
        expect="""
            delivery | received   | status  | until
            1        | 2024-08-01 | late    |
            2        |            | overdue |
        """,
    )


def test_a_gap_counts_from_the_last_counted_record(spec: Spec) -> None:
    """The visit on the 20th comes too soon after the counted one; the gap's `until` closes the window early."""
    spec(
        standard="deliveries: [{from: 0d, by: 90d}, {by: 120d, gaps: [{since: counted, from: 28d, until: 40d}]}]",
        born="2024-01-01",
        records="2024-01-10 2024-01-20",
        on="2024-02-25",
        expect="""
            delivery | received   | status | from       | by         | until
            1        | 2024-01-10 | on_time | 2024-01-01 | 2024-03-31 | 2024-03-31
            2        |            | missed | 2024-02-07 | 2024-04-30 | 2024-02-19
        """,
    )


def test_a_gap_since_any_record(spec: Spec) -> None:
    """`previous` is the last record strictly before, counted or not, even before the anchor."""
    spec(
        standard="deliveries: [{from: 0d, by: 90d, gaps: [{since: previous, from: 10d}]}]",
        born="2024-01-10",
        records="2024-01-05 2024-01-12 2024-01-22",
        on="2024-02-01",
        expect="""
            received   | valid
            2024-01-22 | 2024-01-22
        """,
    )


def test_a_gap_may_write_by_where_the_age_clock_does_not(spec: Spec) -> None:
    """A written `by` on the age clock is never moved by a gap; where there is none, the gap's holds."""
    spec(
        standard="""
            deliveries:
              - {from: 0d, by: 30d}
              - {gaps: [{since: 1, from: 10d, by: 20d}]}
              - {by: 40d, gaps: [{since: 1, from: 10d, by: 90d}]}
        """,
        born="2024-01-01",
        records="2024-01-20",
        on="2024-02-12",
        expect="""
            delivery | from       | by         | status
            1        | 2024-01-01 | 2024-01-31 | on_time
            2        | 2024-01-30 | 2024-02-09 | missed
            3        | 2024-01-30 | 2024-02-10 | missed
        """,
    )


def test_a_gap_that_binds_at_some_ages(spec: Spec) -> None:
    """28 days between visits up to day 60, 7 afterwards: the earliest day that satisfies what binds on it is day 61."""
    spec(
        standard="""
            gaps: [{from: 28d, at: {age: [0d, 60d]}}, {from: 7d, at: {age: [61d, 200d]}}]
            deliveries: [{by: 100d}, {by: 100d}]
        """,
        born="2024-01-01",
        records="2024-02-20",
        on="2024-02-21",
        expect="""
            delivery | received   | from
            1        | 2024-02-20 | 2024-01-01
            2        |            | 2024-03-02
        """,
    )


def test_a_row_of_deliveries(spec: Spec) -> None:
    """`every` is one delivery a step, each until the day before the next."""
    spec(
        standard="deliveries: [{every: 1m, from: 1m, until: 4m}]",
        born="2024-01-31",
        records="2024-03-05",
        on="2024-04-01",
        expect="""
            delivery | from       | by         | status
            1        | 2024-02-29 | 2024-03-30 | on_time
            2        | 2024-03-31 | 2024-04-29 | due
            3        | 2024-04-30 | 2024-05-30 | not_due
        """,
    )
