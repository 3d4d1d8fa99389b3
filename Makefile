# Yagura needs Go, a C++ compiler (DuckDB is linked in), make and git; its console
# also Node.js 20.19 or newer to be built, and is left out without.
#
#   make demo    build, and run the main job on a sample organisation's logs
#   make test    every test
#   make check   what a change has to pass besides: format, vet, staticcheck, race, vulnerabilities
#   make bench   the measurements, as a table beside the bars we hold ourselves to
#   make build   bin/yagura, with the console in it
#   make console web/dist alone

SHELL   := /bin/bash
GO      ?= go
export GOFLAGS := -mod=readonly -buildvcs=false
export CGO_ENABLED := 1
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION)

.PHONY: all build console demo test check bench tools update clean
.DEFAULT_GOAL := build

build: tools console
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/yagura ./cmd/yagura

console:
	@.ci/console build

demo: build
	@bin/yagura demo

test: tools
	$(GO) test ./...
	@.ci/console test
	@$(MAKE) --no-print-directory build
	@.ci/browser

# The packages whose tests hold golden files and generated documents.
GOLDEN := ./alert ./api ./cmd/yagura ./cost/bill ./cost/count ./cost/picture ./dashboard ./decision/dossier ./detect/external ./evaluate ./event ./export ./normalise/alerts ./normalise/azureactivity ./normalise/cloudtrail ./normalise/entra ./normalise/gcpaudit ./normalise/keyvault ./normalise/mapping ./normalise/office365 ./normalise/okta ./normalise/workspace ./query ./sigma/coverage ./sigma/sqlgen ./simulate/configcost

# Golden files are rewritten by the tests themselves; look at the difference.
update: tools
	$(GO) test -count=1 $(GOLDEN) -update
	@git --no-pager diff --stat -- '*.golden' docs || true

# The tests compare generated files with what they would write, so that one that
# is not current fails here.
check: tools
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }
	$(GO) mod verify
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test -race ./...
	@.ci/vulnerabilities

bench: build
	@.ci/bench

# tools sees to it that a compiler is there, and says what is missing otherwise.
tools:
	@.ci/tools $(GO)

clean:
	rm -rf bin
