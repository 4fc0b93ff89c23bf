"""Which record is received by which delivery."""

from collections.abc import Callable

Spec = Callable[..., None]


def test_a_record_satisfies_one_delivery(spec: Spec) -> None:
    """A visit that fits two windows counts for the first; two records on one day are one."""
    spec(
        standard="deliveries: [{from: 0d, by: 60d}, {from: 0d, by: 60d}]",
        born="2024-01-01",
        records="2024-01-10 2024-01-10",
        on="2024-02-01",
        expect="""
            delivery | received   | status
            1        | 2024-01-10 | on_time
            2        |            | due
        """,
    )


def test_a_missed_delivery_does_not_stop_the_next(spec: Spec) -> None:
    spec(
        standard="deliveries: [{from: 10d, by: 20d}, {from: 30d, by: 40d}]",
        born="2024-01-01",
        records="2024-02-05",
        on="2024-02-06",
        expect="""
            delivery | received   | status
            1        |            | missed
            2        | 2024-02-05 | on_time
        """,
    )


def test_in_sequence_it_does(spec: Spec) -> None:
    """Nothing is received after a delivery that was not, and what cannot come any more is missed with it."""
    spec(
        standard="""
            in_sequence: true
            deliveries: [{from: 10d, by: 20d}, {from: 30d, by: 90d}]
        """,
        born="2024-01-01",
        records="2024-02-05",
        on="2024-02-06",
        expect="""
            delivery | received | status
            1        |          | missed
            2        |          | missed
        """,
    )


def test_waiting_for_the_one_before(spec: Spec) -> None:
    spec(
        standard="""
            in_sequence: true
            deliveries: [{from: 10d, by: 90d}, {from: 30d, by: 90d}]
        """,
        born="2024-01-01",
        on="2024-02-06",
        expect="""
            delivery | status
            1        | due
            2        | waiting
        """,
    )


def test_earliest_undercounts_where_a_gap_closes(spec: Spec) -> None:
    """Doses on day 60, 100 and 140, 28 to 45 days apart: earliest first takes day 60, and then 140 comes too late."""
    spec(
        standard="""
            deliveries: [{from: 55d, by: 119d}, {from: 120d, by: 200d, gaps: [{from: 28d, until: 45d}]}]
        """,
        born="2024-01-01",
        records="2024-03-01 2024-04-10 2024-05-20",
        on="2024-06-30",
        expect="""
            delivery | received   | status
            1        | 2024-03-01 | on_time
            2        |            | missed
        """,
    )


def test_a_chain_finds_the_way(spec: Spec) -> None:
    """The same with `match: chain`: day 100 and 140 are a valid chain; each row tells the earliest end of a chain."""
    spec(
        standard="""
            match: chain
            deliveries: [{from: 55d, by: 119d}, {from: 120d, by: 200d, gaps: [{from: 28d, until: 45d}]}]
        """,
        born="2024-01-01",
        records="2024-03-01 2024-04-10 2024-05-20",
        on="2024-06-30",
        expect="""
            delivery | received   | status
            1        | 2024-03-01 | on_time
            2        | 2024-05-20 | on_time
        """,
    )


def test_an_official_gap_with_an_end(spec: Spec) -> None:
    """Penta of FED2024: 28 to 70 days apart; the window of the second dose lasts until 70 days after the first."""
    spec(
        standard="""
            match: chain
            deliveries:
              - {from: 55d, by: 119d}
              - {by: 147d, until: 189d, gaps: [{since: counted, from: 28d, until: 70d}]}
        """,
        born="2024-01-01",
        records="2024-03-01",
        on="2024-05-15",
        expect="""
            delivery | from       | until      | status
            1        | 2024-02-25 | 2024-04-29 | on_time
            2        | 2024-03-29 | 2024-05-10 | missed
        """,
    )


def test_a_delivery_that_follows_another_waits_for_it(spec: Spec) -> None:
    """`since: 1` was not received: nothing counts, and `by` of its own age clock still tells when it is overdue."""
    spec(
        standard="deliveries: [{from: 10d, by: 90d}, {by: 60d, until: 90d, gaps: [{since: 1, from: 10d}]}]",
        born="2024-01-01",
        records="",
        on="2024-02-01",
        expect="""
            delivery | status
            1        | due
            2        | waiting
        """,
    )


def test_not_owed_when_older(spec: Spec) -> None:
    """A delivery not owed takes no record and passes the turn on, also in sequence."""
    spec(
        standard="""
            in_sequence: true
            deliveries: [{from: 0d, by: 300d, not_owed_when: {age: ">= 30d"}}, {from: 0d, by: 300d}]
        """,
        born="2024-01-01",
        records="2024-02-10",
        on="2024-02-11",
        expect="""
            delivery | received   | status
            1        |            | not_owed
            2        | 2024-02-10 | on_time
        """,
    )


def test_not_owed_after_enough(spec: Spec) -> None:
    """Two doses from 60 days on are enough: the third is not owed."""
    spec(
        standard="""
            deliveries: [{by: 300d}, {by: 300d}, {by: 300d, not_owed_when: {received: 2, since: 60d}}]
        """,
        born="2024-01-01",
        records="2024-03-10 2024-04-10 2024-05-10",
        on="2024-06-01",
        expect="""
            delivery | received   | status
            1        | 2024-03-10 | on_time
            2        | 2024-04-10 | on_time
            3        |            | not_owed
        """,
    )


def test_variants_by_age_at_the_first_record(spec: Spec) -> None:
    """Who begins late has a shorter scheme; while there is no record, the age on the judging day decides."""
    late_starters = """
        variants:
          - {first: {age: [0d, 60d]}, deliveries: [{by: 90d}, {by: 120d, gap: 28d}]}
          - {deliveries: [{by: 150d}]}
    """
    begun_late = """
        delivery | received   | status
        1        | 2024-03-15 | on_time
    """
    spec(standard=late_starters, born="2024-01-01", records="2024-03-15", on="2024-04-01", expect=begun_late)
    not_begun = """
        delivery | received | status
        1        |          | due
        2        |          | due
    """
    spec(standard=late_starters, born="2024-01-01", on="2024-02-01", expect=not_begun)
