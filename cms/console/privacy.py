"""What the console knows of a person (see accounts.privacy): which words they taught the search. The words stay, without the name."""

from marketplace.accounts.models import User
from search.models import Edit, Entry


class PersonalData:
    """A curator's edits of the vocabulary."""

    name = "vocabulary"

    def export(self, user: User) -> dict[str, object]:
        """Every edit."""
        edits = Edit.objects.filter(by=user.uid).order_by("id")
        return {"edits": [{"entry": str(edit.entry_after or edit.entry_before), "action": edit.action, "at": edit.at.isoformat()} for edit in edits]}

    def consequences(self, user: User) -> list[str]:
        """Nothing that the page does not say already."""
        return []

    def erase(self, user: User) -> None:
        """Forget who it was: no key does, for the engine knows no accounts."""
        Edit.objects.filter(by=user.uid).update(by=None)
        Entry.objects.filter(edited_by=user.uid).update(edited_by=None)
