# make run: the studio at http://localhost:8501 · make serve: for a class in this network · make test: all tests
# make quick: those that take seconds, for every small change · make lint: style
# Each sets up .venv first, and again whenever the requirements change.

PYTHON ?= python3
PORT ?= 8501
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

.PHONY: run serve test quick lint lint-python lint-javascript clean

run: .venv/ready
	$(BIN)/python -m streamlit run app.py --server.port $(PORT)

serve: .venv/ready
	$(BIN)/python app.py --class --port $(PORT) $(ARGS)

# A file of tests stays in one process: files share what is dear to make. The browser has the machine to itself.
PARALLEL := -n 2 --dist loadfile

test: .venv/ready-to-test
	$(BIN)/python tests/chromium.py
	$(BIN)/python -m pytest $(PARALLEL) -m "not browser"
	$(BIN)/python -m pytest -m browser

quick: .venv/ready-to-test
	$(BIN)/python -m pytest $(PARALLEL) -m "not browser and not training and not slow"

lint: lint-python lint-javascript

lint-python: .venv/ready-to-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-javascript: node_modules/ready
	npm run --silent lint

clean:
	rm -rf .venv node_modules

.venv/ready: requirements.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'The studio needs Python 3.11 or newer; say which with: make run PYTHON=python3.12')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -c "open('.venv/ready', 'w')"

.venv/ready-to-test: .venv/ready requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -c "open('.venv/ready-to-test', 'w')"

# Only those who change the pages' scripts need node: eslint and TypeScript read them, nothing is built.
node_modules/ready: package.json package-lock.json
	@node -e "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)" && npm --version >/dev/null || { echo "make lint reads the pages' JavaScript with eslint and TypeScript: install Node.js 20 or newer, with npm (nodejs.org)." >&2; exit 1; }
	npm ci --silent
	@node -e "require('fs').writeFileSync('node_modules/ready', '')"
