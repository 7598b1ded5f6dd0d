"""Ready-made reasons for a decision, in the language of the company that reads them."""

from django.utils import translation
from django.utils.translation import gettext, gettext_lazy

# Key → (short name for the curator, text for the company).
CHANGES = {
    "vague": (
        gettext_lazy("Too vague"),
        gettext_lazy("Please say more exactly what you offer or need: what it is, how much, by when. Then the right companies will find you."),
    ),
    "contact": (
        gettext_lazy("Contact data in the text"),
        gettext_lazy(
            "Please take telephone numbers, e-mail addresses and links out of the text. Contact data are shown to the other company once you both agree."
        ),
    ),
    "kind": (
        gettext_lazy("Offer and demand mixed"),
        gettext_lazy("Your text holds an offer and a demand. Please make one listing of each, so that both find their match."),
    ),
    "sector": (gettext_lazy("Wrong sector or place"), gettext_lazy("Please check the sector and the municipality: they do not fit the text.")),
    "price": (gettext_lazy("Claims to prove"), gettext_lazy("Please name the certificate or norm behind what you claim, or take the claim out.")),
}
REJECTIONS = {
    "private": (
        gettext_lazy("Not between companies"),
        gettext_lazy("This marketplace is for synergies between companies. We cannot publish private advertisements or job vacancies."),
    ),
    "duplicate": (gettext_lazy("Already listed"), gettext_lazy("You have already listed the same. Please change the listing that is there.")),
    "illegal": (gettext_lazy("Not allowed by law"), gettext_lazy("The law does not allow us to publish this product or service.")),
    "not_real": (gettext_lazy("Nothing on offer"), gettext_lazy("The text does not offer or ask for anything that another company could answer.")),
}


def text(key: str, *, language: str) -> str:
    """The ready-made reason `key` in `language`; empty for an unknown key."""
    _, reason = (CHANGES | REJECTIONS).get(key, ("", ""))
    if not reason:
        return ""
    with translation.override(language):
        return str(reason)


def choices(reasons: dict) -> list[tuple[str, str]]:
    """For a select: nothing chosen, then the short names."""
    return [("", gettext("Choose a ready-made reason …")), *((key, str(name)) for key, (name, _) in reasons.items())]
