# Two stages: the first builds the virtual environment and the static files, the second has neither compiler nor root.
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
RUN python -m venv /venv
COPY requirements-semantic.lock .
RUN --mount=type=cache,target=/pip /venv/bin/pip install --cache-dir /pip --require-hashes -r requirements-semantic.lock
COPY manage.py pyproject.toml ./
COPY locale locale
COPY marketplace marketplace
COPY cms cms
COPY search search
# These values exist only while the image is built; a start without real ones says what is missing and stops.
RUN /venv/bin/pybabel compile -q -D django -d locale \
 && DEBUG=false SECRET_KEY=build ALLOWED_HOSTS=build SITE_URL=https://build.example DATABASE_URL=sqlite:////tmp/build.sqlite3 EMAIL_URL=smtp://build STATIC_ROOT=/app/static \
    /venv/bin/python manage.py collectstatic --noinput --verbosity 0

FROM python:3.11-slim-bookworm
RUN useradd --system --create-home --uid 10001 marketplace && install -d -o marketplace /data/media /data/index
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
USER marketplace
# With an arena for each thread, as glibc has it, a rebuild of a million listings holds 630 MB instead of 400.
ENV MALLOC_ARENA_MAX=2
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 DEBUG=false STATIC_ROOT=/app/static MEDIA_ROOT=/data/media EMBEDDED_INDEX_PATH=/data/index OPEN_DATA_PATH=/data/open-data PAGE_CACHE_URL=filecache:///data/pages?max_entries=2000
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "marketplace.wsgi:application", "--bind", "0.0.0.0:8000", "--workers", "3", "--threads", "4", "--access-logfile", "-", "--max-requests", "2000", "--max-requests-jitter", "200"]
