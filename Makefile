# What a stranger needs: Go and make. Everything else comes with `go build`.
# .ci/run also wants Java and Maven, for a real Kafka.

GO      ?= go
N       ?=
SEED    ?=
RECORDS ?=
OUT     ?=
BENCH   ?=
FUZZTIME ?= 30s
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

# The version is given, not read from the clone: -buildvcs fails in a clone that another user owns. Nothing here changes how
# a package is compiled (-trimpath would): what make build compiles, go test, go run and go vet take from the cache.
# -s -w leave out the debugger's tables, a third of the file.
GOBUILD = $(GO) build -buildvcs=false -ldflags '-s -w -X main.release=$(VERSION)'

.DEFAULT_GOAL := help
.PHONY: help build run test test-avx512 ci fuzz crash poison feeds bench-chain bench-burst bench-scale bench-refresh bench-ann bench-changes bench-engines bench-train bench-training bench-learning bench-model bench-encoders bench-songs bench-themes bench-themes-daemon bench-ranker bench-maps bench-page clean

help: ## print this
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## bin/kilim
	@mkdir -p bin
	$(GOBUILD) -o bin/kilim ./daemon

# So few artifacts are not worth a training elsewhere; here somebody looks, who should see a model change within minutes.
run: build ## the daemon with its own broker, fed with the demo archive; state in ./data
	@exec ./bin/kilim serve --demo.artifacts 500 --train.least 400 --train.share 0.5 --train.stages full:200:0.008 --log.level warn

test: ## all tests that need only Go
	$(GO) test ./...

test-avx512: ## the forms in AVX-512, on an emulated processor (Debian 12; installs Bochs, minutes); without it make test runs them where the processor has AVX-512
	.ci/avx512/run.sh ./annindex/internal/dist ./learner/tensor/gemm ./learner/tensor/vec

ci: ## what the continuous integration runs: tests, vet, staticcheck, race, real Kafka
	.ci/run

fuzz: ## every fuzz test in turn, FUZZTIME each (30s); PARALLEL=1 for one processor. What fails is kept under the package's testdata/fuzz
	@GO='$(GO)' .ci/fuzz $(FUZZTIME) $(PARALLEL)

crash: build ## kill the daemon N times (N=30) and compare with a run never killed
	@$(GO) run ./daemon/experiments/crash -kilim bin/kilim -n $(or $(N),30)

poison: build ## feed the daemon with N extreme and good records (N=10000, SEED=1): all applied or refused, within its memory
	@$(GO) run ./daemon/experiments/poison -kilim bin/kilim -n $(or $(N),10000) -seed $(or $(SEED),1) $(BENCH)

feeds: ## a real archive through the embedded broker and through Apache Kafka (Java, Maven): counts, rates, and the end lists compared; RECORDS=1500 for less
	@KILIM_RECORDS='$(or $(RECORDS),0)' $(GO) test -count=1 -timeout 60m -v -run '^TestKafkaEndsInTheSameLists$$' ./daemon/app

bench-chain: build ## the chain beside the peer pipeline, on a real Kafka; OUT=FILE for JSON Lines, BENCH=-quick to try it
	$(GOBUILD) -o bin/kilim-bench ./daemon/experiments/chain
	@exec ./bin/kilim-bench $(if $(OUT),-out '$(OUT)') $(BENCH)

bench-burst: build ## RECORDS=100000 of the demo archive at once into a daemon of 1 GiB: none lost, within its memory, queries answered (half an hour)
	@$(GO) run ./daemon/experiments/scale -burst -p99 100ms -records '$(or $(RECORDS),100000)' $(BENCH)

bench-scale: build ## demo archives of RECORDS=10000,100000,1000000: rate, memory, disk, freshness, restarts (most of a day)
	@$(GO) run ./daemon/experiments/scale $(if $(RECORDS),-records '$(RECORDS)') $(BENCH)

bench-refresh: ## the refresh engine beside numpy, as an entity grows, and by epsilon (Python 3; an hour); OUT=FILE for JSON Lines, RECORDS=3000, BENCH='-only stream -rounds 1 -seconds 2' for less
	@mkdir -p bin
	$(GOBUILD) -o bin/kilim-bench-refresh ./daemon/experiments/refresh
	@./bin/kilim-bench-refresh $(if $(OUT),-out '$(OUT)') $(BENCH)
	@KILIM_RECORDS='$(or $(RECORDS),3000)' $(GO) test -timeout 60m -run '^$$' -bench Epsilon -benchtime 1x ./daemon/pipeline

bench-changes: ## what batches tell beside everyone scored with everyone, and what a newcomer costs as an archive grows (half an hour); RECORDS=4000 for less
	@KILIM_RECORDS='$(RECORDS)' $(GO) test -timeout 120m -run '^$$' -bench 'Changes|Newcomers' -benchtime 1x -v ./rerank/topk

bench-ann: ## the index beside hnswlib, faiss and usearch (Python 3.11; hours); OUT=FILE for JSON Lines, BENCH='-runs 1' for less
	@$(GO) run ./annindex/bench/compare $(if $(OUT),-out '$(OUT)') $(BENCH)

bench-engines: ## a real feed with each index engine: agreement of the lists with the exact ones, rate, memory; RECORDS=3000
	@KILIM_RECORDS='$(or $(RECORDS),3000)' $(GO) test -run '^$$' -bench Engines -benchtime 1x ./daemon/pipeline

bench-train: ## a training step beside PyTorch's (Python 3.11; minutes); OUT=FILE for JSON Lines, BENCH='-runs 1 -gemm=false' for less
	@mkdir -p bin
	$(GOBUILD) -o bin/kilim-bench-train ./learner/train/moco/bench
	@exec ./bin/kilim-bench-train $(if $(OUT),-out '$(OUT)') $(BENCH)

bench-training: build ## freshness of a daemon that trains and of one that does not, in turns (minutes); BENCH='-rounds 1' for less
	@$(GO) run ./daemon/experiments/training $(BENCH)

bench-learning: build ## what fine-tuning does for the embeddings, beside word tf-idf and BM25, and without each part in turn (2 hours); BENCH='-steps 400 -seeds 1' for less
	$(GOBUILD) -o bin/kilim-lab ./learner/train/lab
	@./bin/kilim demo --artifacts 3000 --out bin/demo-3000.jsonl
	@for feed in ../shared/data/walters.jsonl.gz ../shared/data/tate-12k.jsonl.gz bin/demo-3000.jsonl; do ./bin/kilim-lab -feed "$$feed" $(BENCH); done
	@for feed in ../shared/data/walters.jsonl.gz bin/demo-3000.jsonl; do ./bin/kilim-lab -feed "$$feed" -ablations -seeds 1 -steps 400 $(BENCH); done

bench-model: build ## models and trainings that a user can choose, in one table: what they learn, and cost (a night; goes on where it was stopped); SEEDS=1 ONLY='demo/(default|3 layers)' BENCH='-records 1500 -steps 200 -loaded' for a part of it beside other work
	$(GOBUILD) -o bin/kilim-lab ./learner/train/lab
	@test -f bin/demo-3000.jsonl || ./bin/kilim demo --artifacts 3000 --out bin/demo-3000.jsonl
	@$(GO) run ./daemon/experiments/model -seeds '$(or $(SEEDS),3)' $(if $(ONLY),-only '$(ONLY)') $(BENCH)

bench-encoders: build ## the built-in encoders beside baselines, over ../shared/data and the demo archive, and their rates; OUT=FILE for JSON Lines
	@exec ./bin/kilim eval encoders --rates $(if $(OUT),--out '$(OUT)') $(BENCH)

bench-songs: ## the types of ../shared/data's songs by openSMILE and musicnn, beside bench-encoders (Python 3.11; minutes)
	@test -x .cache/songs/bin/python || python3.11 -m venv .cache/songs
	@.cache/songs/bin/pip install -q -r daemon/experiments/encoders/others/requirements.txt
	@.cache/songs/bin/pip install -q --no-deps musicnn==0.1.0 # what it asks for is of 2019, what it needs is above
	@.cache/songs/bin/python daemon/experiments/encoders/others/songs.py ../shared/data

bench-themes: ## works of a museum ranked by theme, beside the peer's kernel ridge, BM25 and tf-idf (Python 3.11; minutes); BENCH='-seed 4' for another split
	@test -x .cache/themes/bin/python || python3.11 -m venv .cache/themes
	@.cache/themes/bin/pip install -q -r daemon/experiments/themes/requirements.txt
	@$(GO) run ./daemon/experiments/themes $(BENCH)

bench-themes-daemon: build ## the same works through a running daemon, whose lists and kilim eval must agree with the model (Python 3.11; half an hour)
	@test -x .cache/themes/bin/python || python3.11 -m venv .cache/themes
	@.cache/themes/bin/pip install -q -r daemon/experiments/themes/requirements.txt
	@$(GO) run ./daemon/experiments/themes -kilim bin/kilim $(BENCH)

bench-ranker: ## what judgments do for the order of the lists, on the links of a museum of its own, and what stage 1 misses (minutes); BENCH='-seeds 1 -exact 20' for less
	@$(GO) run ./daemon/experiments/ranker $(BENCH)

bench-maps: ## a map of an archive beside scikit-learn's t-SNE, and what newcomers do to it (Python 3.11; minutes); BENCH='-alone -every 8' for less
	@test -x .cache/themes/bin/python || python3.11 -m venv .cache/themes
	@.cache/themes/bin/pip install -q -r daemon/experiments/themes/requirements.txt
	@.cache/themes/bin/python ../shared/peers/ann/make_data.py .cache/maps --walters ../shared/data/walters.jsonl.gz --only walters-svd-128
	@$(GO) run ./daemon/experiments/maps $(BENCH)

bench-page: build ## what who looks at an archive of RECORDS=200000 waits for, and costs the feed (Chromium; 25 minutes, the state is kept in .cache/page); BENCH='-rounds 0' for less
	@$(GO) run ./daemon/experiments/page $(if $(RECORDS),-records '$(RECORDS)') $(BENCH)

clean: ## remove what was built (not ./data)
	rm -rf bin
	$(GO) clean ./...
