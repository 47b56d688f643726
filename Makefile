# make demo    read digits from a board that the program draws (or from your camera: make demo SOURCE=0)
# make test    run the tests
# make train   data, train, evaluate, export in one go
# make lint    ruff and mypy
# make torture try to break it: files, pictures, models, trainings, the camera; about two hours
# make coverage run the tests, and say which lines and branches they reach
# make docs    the documentation as a site, in site/
# Each makes .venv by itself, with python3 or with another: make demo PYTHON=python3.12 On Windows use the pip lines in README.md.

PYTHON ?= python3
VENV ?= .venv
SOURCE ?= demo
RUN ?= runs/train
DATA ?=
TRAIN_FLAGS ?=

# OpenCV's wheel with windows needs the system's OpenGL; without it take the one without.
OPENCV ?= $(shell if [ "$$(uname -s)" = Linux ] && ! ldconfig -p | grep -q 'libGL\.so\.1'; \
	then echo headless; else echo camera; fi)

# Windows keeps a venv's programs elsewhere.
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
DATA_FLAG := $(if $(DATA),--data_dir=$(DATA))
RESUME = $(if $(wildcard $(RUN)/config.json),--resume)

.PHONY: demo test coverage torture train lint docs clean

demo: $(VENV)/.base
	$(BIN)/python -m digits_tf.camera --tflite --source=$(SOURCE)

test: $(VENV)/.dev
	$(BIN)/python -m pytest

coverage: $(VENV)/.dev
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest; $(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report --skip-covered

torture: $(VENV)/.dev
	$(BIN)/python scripts/torture.py
	$(BIN)/python scripts/torture_training.py
	$(BIN)/python scripts/torture_camera.py

train: $(VENV)/.dev
	$(BIN)/python -m digits_tf.data $(DATA_FLAG)
	$(BIN)/python -m digits_tf.train $(DATA_FLAG) --run=$(RUN) $(RESUME) $(TRAIN_FLAGS)
	$(BIN)/python -m digits_tf.evaluate --model=$(RUN) $(DATA_FLAG)
	$(BIN)/python -m digits_tf.export $(RUN)

lint: $(VENV)/.dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy digits_tf scripts

docs: $(VENV)/.docs
	$(BIN)/python -m mkdocs build --strict

# Said at once, and not by pip after minutes: $(call supported,PYTHON,what to do).
define supported
@$(1) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "error:" \
	"expected Python 3.11 to 3.13 as $(1), found $$($(1) --version 2>&1): $(2)" >&2; exit 1; }
endef

$(VENV)/pyvenv.cfg:
	$(call supported,$(PYTHON),name another: make PYTHON=python3.12 $(MAKECMDGOALS))
	$(PYTHON) -m venv $(VENV) || { rm -f $@; exit 1; }

# Stamps, so that a second call installs nothing.
$(VENV)/.base: $(VENV)/pyvenv.cfg pyproject.toml
	$(call supported,$(BIN)/python,make clean takes it away)
	$(BIN)/python -m pip install --quiet --editable '.[$(OPENCV)]'
	@touch $@

$(VENV)/.dev: $(VENV)/pyvenv.cfg pyproject.toml
	$(call supported,$(BIN)/python,make clean takes it away)
	$(BIN)/python -m pip install --quiet --editable '.[$(OPENCV),train,web,dev]'
	@touch $@ $(VENV)/.base

$(VENV)/.docs: $(VENV)/pyvenv.cfg pyproject.toml
	$(call supported,$(BIN)/python,make clean takes it away)
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $@

clean:
	rm -rf $(VENV)
