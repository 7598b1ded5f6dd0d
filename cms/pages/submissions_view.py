"""What was sent by a form, in the console and as a table."""

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from wagtail.contrib.forms.views import SubmissionsListView

from marketplace.imports.export import harmless


class SubmissionsView(SubmissionsListView):
    """Wagtail's. Anybody may have written what it exports: a formula for the office's spreadsheet program, or signs that no workbook can hold."""

    def preprocess_field_value(self, field: str, value: object, export_format: str) -> object:
        """A cell as text."""
        cell = super().preprocess_field_value(field, value, export_format)
        if not isinstance(cell, str):
            return cell
        # A workbook says itself what is text; in a CSV file the first sign decides.
        return harmless(cell) if export_format == self.FORMAT_CSV else ILLEGAL_CHARACTERS_RE.sub("", cell)
