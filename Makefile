# Every target builds the environment it needs; a second run is quick.

VENV := .venv
RUN := $(VENV)/bin

.PHONY: help demo test coverage test-slow test-hardware test-image test-image-packages test-image-base test-image-faults test-image-updates test-install test-signing test-home-assistant test-wire lint lock release sbom screenshots screenshots-card docs bench bench-long calm-film faults soak fuzz model clean

help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## show the whole path on this machine: a rendered fire becomes a message (CLIP=path; ARGS="--camera --language ko")
	@tools/environment .demo/venv demo
	@.demo/venv/bin/python -m demo $(if $(CLIP),--clip "$(CLIP)") $(ARGS)

WORKERS := 3

test: lint ## lint, then every test that needs no camera (WORKERS=number of processes)
	$(RUN)/pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

COVERED_TESTS := tests/contract tests/foundation tests/edge/outbox tests/edge/send tests/broker/incidents \
  tests/broker/cli/test_incidents.py tests/broker/notify/test_never_lost.py

coverage: $(VENV)/ready ## lines and branches that tests run in what nothing may be lost by, against their floors
	$(RUN)/pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder --cov --cov-report= $(COVERED_TESTS)
	$(RUN)/coverage report --include='contract/*' --fail-under=96
	$(RUN)/coverage report --include='foundation/*' --fail-under=94
	$(RUN)/coverage report --include='edge/outbox/*' --fail-under=88
	$(RUN)/coverage report --include='broker/incidents/*' --fail-under=94

test-slow: $(VENV)/ready ## the tests that take minutes each
	$(RUN)/pytest -m slow

test-signing: $(VENV)/ready ## sign and verify a bundle by the stock OpenSSF model-signing, too
	@tools/environment .cache/signing signing
	$(RUN)/pytest -m signing

test-hardware: $(VENV)/ready ## the tests that need a real camera
	$(RUN)/pytest -m hardware

test-wire: $(VENV)/ready ## capture every packet of a device over a day, and show that nothing leaves but the contract (root)
	$(RUN)/pytest -m wire -s

test-image: $(VENV)/ready ## build the image of a card, flash it into a file and boot that in an emulator, a quarter of an hour
	$(RUN)/pytest -m image -s --durations=8 --durations-min=1 tests/image/test_boot.py

test-image-packages: $(VENV)/ready ## install, use and remove the Debian packages in fresh Debian systems, some minutes (root)
	$(RUN)/pytest -m image -s tests/image/test_deb.py

test-image-base: $(VENV)/ready ## put wordcam into a Debian with cloud-init, and boot that in an emulator; an hour (root)
	$(RUN)/pytest -m image -s tests/image/test_base_boot.py

test-image-faults: $(VENV)/ready ## cut the power of an emulated device at its first start, break its card, copy it; an hour
	$(RUN)/pytest -m image -s tests/image/test_faults.py

test-image-updates: $(VENV)/ready ## update the system of an emulated device: good, forged, altered, cut off, not booting; an hour
	$(RUN)/pytest -m image -s tests/image/test_updates.py

test-install: $(VENV)/ready ## install the wheel with every extra on each Python here, and live each user's first hour
	$(RUN)/pytest -m install

test-home-assistant: $(VENV)/ready ## install Home Assistant, and try the device with it (WORDCAM_HOME_ASSISTANT=environment that has it)
	$(RUN)/pytest -m home_assistant tests/home_assistant

screenshots-card: $(VENV)/ready ## take the pictures of the console while an emulated card becomes a device, for docs/images
	WORDCAM_PICTURES=docs/images $(RUN)/pytest -m image tests/image/test_boot.py

lint: $(VENV)/ready ## ruff, mypy and the import rules
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports

lock: ## write constraints.txt anew: the versions that demo, tests and images install (LOCK_PYTHON=python3.11)
	@tools/lock $(LOCK_PYTHON)

release: ## build dist/: the wheel, bills of materials (CycloneDX) and this version's changes
	@tools/environment .cache/release release
	@.cache/release/bin/python tools/release.py

sbom: release ## build the bills of materials (CycloneDX) beside each artefact, as `release` does

screenshots: $(VENV)/ready ## take the pictures of the console anew, for docs/images
	$(RUN)/python -m tests.broker.web.screenshots docs/images

docs: $(VENV)/ready ## write docs/protocol.md, docs/bundle.md, docs/asyncapi.json and docs/schema from contract/
	$(RUN)/python -m contract.docs --write

faults: $(VENV)/ready ## kill a device's processes 200 times, and instances of the alert service on each database; an hour
	$(RUN)/python -m bench.faults $(ARGS)
	$(RUN)/python -m bench.chaos --database sqlite $(ARGS)
	$(RUN)/python -m bench.chaos --database postgresql $(ARGS)

bench: $(VENV)/ready ## measure speed and memory, as ratios
	$(RUN)/python -m bench $(addprefix --captions ,$(wildcard $(DATA)/coco_text/captions.json))

soak: $(VENV)/ready ## look at 20,000 frames, and watch the memory of the process that looks (ARGS="--plot FILE")
	$(RUN)/python -m bench.device.soak $(ARGS)

fuzz: $(VENV)/ready ## throw a million inputs at everything that reads bytes from outside (INPUTS=number)
	$(RUN)/python -m bench.fuzz --inputs $(or $(INPUTS),1000000)

calm-film: $(VENV)/ready ## watch hours of calm film in every weather, and count the false texts (FILMS=films.json)
	$(RUN)/python -m bench.accuracy.calm_film --films $(FILMS) --folder $(RUNS)/calm-film

.PHONY: night
night: $(VENV)/ready ## replay a night by a moved clock, and write docs/night.md: every text that each person got, and why
	$(RUN)/python -m bench.service.night

bench-long: $(VENV)/ready ## send a million captions through the alert service, and watch its memory
	$(RUN)/python -m bench.service.soak --count 1000000

DATA := ../shared/data
RUNS := runs

model: $(VENV)/ready ## rebuild models/wordcam-1 from DATA, two to three hours; run it again to go on (RUNS=folder)
	$(RUN)/wordcam-train train config/trainer-flickr8k-base.yaml --runs $(RUNS)
	$(RUN)/wordcam-train train config/trainer-flickr8k-tuned.yaml --runs $(RUNS)
	$(RUN)/wordcam-train train config/trainer-flickr8k.yaml --runs $(RUNS)
	$(RUN)/wordcam-train export config/trainer-flickr8k.yaml --runs $(RUNS) --out $(RUNS)/exported
	$(RUN)/wordcam-convert convert $(RUNS)/exported --out models/wordcam-1 \
	  --captions $(DATA)/flickr8k/captions_val.json --detections $(DATA)/coco_person/instances_val.json
	$(RUN)/wordcam-train hazards config/hazard-classifier.yaml --bundle models/wordcam-1 --runs $(RUNS)
	$(RUN)/wordcam-train captions config/trainer-captions.yaml --bundle models/wordcam-1 --runs $(RUNS) --out $(RUNS)/captions
	$(RUN)/wordcam-convert captioner $(RUNS)/captions --bundle models/wordcam-1

clean: ## remove the environments and every cache
	rm -rf $(VENV) .demo .coverage .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist

.PHONY: $(VENV)/ready
$(VENV)/ready:
	@tools/environment $(VENV) dev mosquitto=mosquitto initdb=postgresql chromium=chromium
