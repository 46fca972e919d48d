#!/usr/bin/env bash
# Checks what is in this folder, as far as that goes without a container engine:
#   deploy/check.sh                              files, alert rules and their tests, the systemd unit
#   KILIM_URL=http://127.0.0.1:9464 deploy/check.sh
#                                                and every query of the dashboards, by a real Prometheus
#                                                that scrapes that daemon; feed it meanwhile
# KILIM_WITHIN=60s is how long a query may take to have data.
# Wants Go and Debian's package prometheus, which it installs with apt-get where it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v promtool >/dev/null || ! command -v prometheus >/dev/null; then
    echo "--- install prometheus"
    root=()
    [[ $EUID -eq 0 ]] || root=(sudo)
    "${root[@]}" apt-get update -q
    # Not to be started: only its programs are wanted.
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -q -y --no-install-recommends prometheus
fi

echo "--- files: dashboards, compose.yaml, alerts against their tests and the runbook"
go test ./deploy/...

echo "--- prometheus.yml, alerts.yml"
promtool check config --lint=all --lint-fatal deploy/prometheus/prometheus.yml
promtool check rules --lint=all --lint-fatal deploy/prometheus/alerts.yml
(cd deploy/prometheus && promtool test rules alerts_test.yml)

# The unit is known to score 1.x of 10 (0 is the best). Newer systemd may weigh
# otherwise; 2.5 tells a setting that was lost from that.
echo "--- kilim.service"
if command -v systemd-analyze >/dev/null; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # verify wants the program of ExecStart to be there.
    sed 's#/usr/local/bin/kilim#/bin/true#' deploy/systemd/kilim.service >"$work/kilim.service"
    systemd-analyze verify --man=no "$work/kilim.service"
    systemd-analyze security --offline=true --threshold=25 --no-pager "$work/kilim.service" | tail -n 1
else
    echo "systemd-analyze is not here: skipped"
fi

echo "--- kubernetes/"
kustomize() { if command -v kubectl >/dev/null; then kubectl kustomize "$1"; else go run sigs.k8s.io/kustomize/kustomize/v5@v5.8.3 build "$1"; fi; }
kustomize deploy/kubernetes | (cd deploy/kubernetes/verify && go run .)

if [[ -n ${KILIM_URL:-} ]]; then
    echo "--- every query of the dashboards, scraping $KILIM_URL"
    go run ./deploy/verify -kilim "${KILIM_URL%/metrics}" -for "${KILIM_WITHIN:-60s}"
fi
echo "deploy: all checks passed"
