"""The upload of a picture in the console."""

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.forms import FileField
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from wagtail.images.fields import WagtailImageField
from wagtail.images.forms import BaseImageForm

from . import pictures


class PictureUploadField(WagtailImageField):
    """A file field with our checks in place of Wagtail's, which say less and decode before they measure."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        # Asked by Wagtail's upload of several files, before anything is sent.
        limit = filesizeformat(settings.WAGTAILIMAGES_MAX_UPLOAD_SIZE)
        self.help_text = _("JPEG, PNG, WebP or AVIF, up to %(limit)s.") % {"limit": limit}
        self.error_messages["file_too_large_unknown_size"] = _("The picture is too big. Save it smaller than %(limit)s.") % {"limit": limit}
        self.error_messages["invalid_image_extension"] = _("Save it as JPEG, PNG, WebP or AVIF and upload that.")

    def to_python(self, data: UploadedFile | None) -> pictures.Picture | None:
        """The picture as it will be stored; ValidationError if it is none that we take."""
        upload = FileField.to_python(self, data)
        return upload and pictures.normalised(upload, upload.name)


class PictureForm(BaseImageForm):
    """Wagtail's form of a picture, with our field for its file."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if wagtails := self.fields.get("file"):
            self.fields["file"] = PictureUploadField(label=wagtails.label, required=wagtails.required, widget=wagtails.widget)
