"""What partner marketplaces talk to; no language in these addresses."""

urlpatterns = []
