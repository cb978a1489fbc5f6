"""Figures about buyers."""

from __future__ import annotations

import ibis

from driveaway.book.view import View
from driveaway.figures.figure import figure
from driveaway.figures.measure import Measure, Share, Unknown

ATTRIBUTES = ("sex", "age_band", "phone_brand", "previous_brand")


@figure(
    "buyers.share",
    title="Share of buyers",
    title_zh="用户占比",
    unit="share",
    evidence=("buyer.described",),
    dimensions=ATTRIBUTES,
)
def share(
    view: View,
    *,
    sex: str | None = None,
    age_band: str | None = None,
    phone_brand: str | None = None,
    previous_brand: str | None = None,
) -> Measure:
    """Share of the buyers of locked orders who have an attribute, among those who are described.

    The interval is Wilson's at 95%: it treats those described as a random sample of all buyers. Shares
    that rest on fewer people than the launch's threshold are not shown. Grouped by an attribute,
    each value's share of all described buyers is given.

    Args:
        sex: female, male or other; alternatives joined by |.
        age_band: age band as described; alternatives joined by |.
        phone_brand: brand of the buyer's telephone; alternatives joined by |.
        previous_brand: brand of the car before; alternatives joined by |.
    """
    given = {"sex": sex, "age_band": age_band, "phone_brand": phone_brand, "previous_brand": previous_brand}
    wanted = {name: text.split("|") for name, text in given.items() if text is not None}
    if len(wanted) > 1:
        return Unknown("one attribute at a time: name one of " + ", ".join(ATTRIBUTES))
    people = view.table("buyer.described")
    people = people.semi_join(view.table("order.locked"), "subject_key")
    # Of an erased buyer nothing is left but that there was one.
    people = people.filter(ibis.or_(*(people[name].notnull() for name in ATTRIBUTES)))
    threshold = view.description.suppress_under
    if not wanted:
        return Share(people.mutate(hit=ibis.literal(True)), True, threshold, of_all=True)
    ((name, values),) = wanted.items()
    people = people.filter(people[name].notnull())
    return Share(people.mutate(hit=people[name].isin(values)), True, threshold)


FIGURES = (share,)
