"""Which kinds of pages can have comments, and what holds for them until a moderator chooses otherwise (Policy)."""

from django.apps import apps

from .enums import Moderation

#: By the model's label in lower case. A kind that is not here has no comments.
KINDS: dict[str, Moderation] = {
    "pages.newspage": Moderation.BEFORE,
    "pages.figurespage": Moderation.BEFORE,
    "aid.aidpage": Moderation.BEFORE,
}


def name(kind: str) -> str:
    """What people call it: "news page"."""
    try:
        return str(apps.get_model(kind)._meta.verbose_name)  # noqa: SLF001 - Django's documented model API
    except LookupError:
        return kind


def known() -> list[str]:
    """Those of KINDS that this site has."""
    return [kind for kind in KINDS if kind.partition(".")[2] in apps.all_models[kind.partition(".")[0]]]
