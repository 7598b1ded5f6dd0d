"""The groups of those who write pages and of those who publish them, and the review between the two.

Whoever changed one of these in the console keeps it so: nothing here is made twice, nothing that is there is changed.
"""

from django.db import migrations

# As in cms.pages.rules at the time of this migration.
EDITORS, OFFICERS = "Aid editors", "OAE officers"
REVIEW = "OAE review"
MODEL_PERMISSIONS = {
    EDITORS: (
        ("wagtailadmin", "admin", "access_admin", "Can access Wagtail admin"),
        ("wagtailcore", "page", "write_pages", "Can write pages of the site"),
        ("wagtail_localize", "translation", "submit_translation", "Can submit translations"),
        ("aid", "funder", "add_funder", "Can add funder"),
        ("aid", "funder", "change_funder", "Can change funder"),
        ("aid", "funder", "view_funder", "Can view funder"),
    ),
}
MODEL_PERMISSIONS[OFFICERS] = (
    *MODEL_PERMISSIONS[EDITORS],
    ("wagtailcore", "page", "review_pages", "Can review pages of the site"),
    ("aid", "funder", "delete_funder", "Can delete funder"),
    ("wagtailredirects", "redirect", "add_redirect", "Can add redirect"),
    ("wagtailredirects", "redirect", "change_redirect", "Can change redirect"),
    ("wagtailredirects", "redirect", "delete_redirect", "Can delete redirect"),
    ("wagtailredirects", "redirect", "view_redirect", "Can view redirect"),
)
# On the home page of each language, and so on all below it.
PAGE_PERMISSIONS = {
    EDITORS: ("add_page", "change_page"),
    OFFICERS: ("add_page", "change_page", "publish_page", "lock_page", "unlock_page"),
}
# On all collections.
FILE_PERMISSIONS = (
    ("wagtailimages", "image", "add_image", "Can add image"),
    ("wagtailimages", "image", "change_image", "Can change image"),
    ("wagtailimages", "image", "choose_image", "Can choose image"),
    ("wagtaildocs", "document", "add_document", "Can add document"),
    ("wagtaildocs", "document", "change_document", "Can change document"),
    ("wagtaildocs", "document", "choose_document", "Can choose document"),
)


def make_groups(apps, schema_editor):
    groups = apps.get_model("auth.Group").objects
    collection = apps.get_model("wagtailcore.Collection").objects.filter(depth=1).first()
    homes = _homes(apps)
    for name, permissions in MODEL_PERMISSIONS.items():
        group, is_new = groups.get_or_create(name=name)
        if not is_new:
            continue
        group.permissions.add(*(_permission(apps, *facts) for facts in permissions))
        for home in homes:
            for codename in PAGE_PERMISSIONS[name]:
                permission = _permission(apps, "wagtailcore", "page", codename, codename.replace("_", " ").capitalize())
                apps.get_model("wagtailcore.GroupPagePermission").objects.get_or_create(group=group, page_id=home.pk, permission=permission)
        for facts in FILE_PERMISSIONS if collection else ():
            apps.get_model("wagtailcore.GroupCollectionPermission").objects.get_or_create(
                group=group, collection=collection, permission=_permission(apps, *facts)
            )


def make_review(apps, schema_editor):
    workflows = apps.get_model("wagtailcore.Workflow").objects
    if workflows.filter(name=REVIEW).exists():
        return
    task_model = apps.get_model("wagtailcore.GroupApprovalTask")
    content_type, _ = apps.get_model("contenttypes.ContentType").objects.get_or_create(app_label="wagtailcore", model="groupapprovaltask")
    task = task_model.objects.create(name=REVIEW, active=True, content_type=content_type)
    task.groups.add(apps.get_model("auth.Group").objects.get(name=OFFICERS))
    workflow = workflows.create(name=REVIEW, active=True)
    apps.get_model("wagtailcore.WorkflowTask").objects.create(workflow=workflow, task_id=task.pk, sort_order=0)
    for home in _homes(apps):
        # A home page that has a review of its own keeps it.
        apps.get_model("wagtailcore.WorkflowPage").objects.get_or_create(page_id=home.pk, defaults={"workflow": workflow})


def _homes(apps):
    return list(apps.get_model("pages.HomePage").objects.filter(depth=2).order_by("pk"))


def _permission(apps, app_label, model, codename, name):
    # Permissions are made after all migrations; here they are needed before, as in Wagtail's own migrations.
    content_type, _ = apps.get_model("contenttypes.ContentType").objects.get_or_create(app_label=app_label, model=model)
    permission, _ = apps.get_model("auth.Permission").objects.get_or_create(content_type=content_type, codename=codename, defaults={"name": name})
    return permission


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0001_curators"),
        ("pages", "0002_first_pages"),
        ("aid", "0001_initial"),
        ("wagtailcore", "0097_baselogentry_uuid_action_timestamp_indexes"),
        ("wagtailimages", "0027_image_description"),
        ("wagtaildocs", "0014_alter_document_file_size"),
        ("wagtailredirects", "0008_add_verbose_name_plural"),
        ("wagtail_localize", "0006_create_submit_translation_permission"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    # Taking the groups away would take them from the people in them, so backwards does nothing.
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop), migrations.RunPython(make_review, migrations.RunPython.noop)]
