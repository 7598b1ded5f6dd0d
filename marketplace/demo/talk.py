"""What people of the demo city say about news and aid, through the operations that people use; only the times are put back."""

import datetime

from django.db import transaction
from django.utils import timezone, translation
from wagtail.models import Page

from cms.comments import operations
from cms.comments.models import Comment
from marketplace.accounts.models import User

from .city import CURATOR, address_of, rows
from .site import OFFICER
from .tree import key_of

OFFICE = "office"


@transaction.atomic
def load() -> int:
    """Post and approve the comments, but for those that wait for whoever tries the demo; how many. Once there is a comment, nothing is done."""
    if Comment.objects.exists():
        return 0
    curator = User.objects.get(email=CURATOR)
    made = 0
    for row in rows("comments"):
        page = Page.objects.filter(translation_key=key_of(*row["page"])).order_by("locale_id").first()
        if page is None:
            continue
        comment = _post(page, row, curator)
        made += 1
        for reply in row["replies"]:
            _post(page, reply, curator, reply_to=comment)
            made += 1
    return made


def _post(page: Page, row: dict, curator: User, *, reply_to: Comment | None = None) -> Comment:
    author = User.objects.get(email=OFFICER if row["by"] == OFFICE else address_of(row["by"]))
    with translation.override(row.get("language", "ca")):
        comment = operations.post(page, by=author, text=row["text"], reply_to=reply_to)
    if not comment.is_visible and not row.get("waiting"):
        comment = operations.approve(comment, by=curator)
    then = timezone.now() - datetime.timedelta(days=row["days_ago"])
    Comment.objects.filter(pk=comment.pk).update(created=then)
    comment.steps.update(at=then)
    return comment
