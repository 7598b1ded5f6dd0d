"""What the demo's people say about its pages."""

import pytest

from cms.comments.enums import State
from cms.comments.models import Comment
from marketplace.demo import city, site, talk

pytestmark = pytest.mark.django_db


def test_people_of_the_demo_talk_once():
    city.load()
    site.load()
    written = talk.load()
    assert written == Comment.objects.count() == sum(1 + len(row["replies"]) for row in city.rows("comments"))
    assert set(Comment.objects.values_list("state", flat=True)) == {State.APPROVED, State.WAITING}
    assert Comment.objects.filter(official=True, parent__isnull=False).count() == 3
    assert talk.load() == 0
