"""The reader sees what answers what, and what each quotation is worth to the score."""

import pytest
from django.test import Client

from marketplace.synergies.models import Synergy

from .conftest import make_pair, match

pytestmark = pytest.mark.django_db


def test_each_side_reads_its_own_text_first_and_the_points():
    pair = make_pair()
    match(pair.demand)
    synergy = Synergy.objects.get(offer=pair.offer, demand=pair.demand)
    [first, *_] = [quote for reason in synergy.reasons if reason["code"] == "terms" for quote in reason["data"]["pairs"]]
    assert first["points"] >= 1
    assert f"<td>{first['mine_text']}</td><td>{first['theirs_text']}</td><td>{first['points']:.0f}</td>" in page(pair.asker, synergy)
    assert f"<td>{first['theirs_text']}</td><td>{first['mine_text']}</td><td>{first['points']:.0f}</td>" in page(pair.offerer, synergy)


def test_quotations_found_before_points_were_told_are_left_out():
    pair = make_pair()
    assert "What answers what" not in page(pair.asker, pair.synergy)


def page(reader, synergy: Synergy) -> str:
    client = Client()
    client.force_login(reader)
    return client.get(f"/en/synergies/{synergy.uid}/").content.decode()
