#!/usr/bin/env bash
# stop.sh DIR: ends the Kafka that start.sh started in DIR; its data stays.
set -euo pipefail

if [[ $# -ne 1 ]]; then
    echo "usage: $0 DIR" >&2
    exit 2
fi
if [[ ! -f $1/pid ]]; then
    echo "stop.sh: no Kafka runs in $1"
    exit 0
fi
pid=$(<"$1/pid")
for signal in TERM KILL; do
    kill -"$signal" "$pid" 2>/dev/null || break
    for ((i = 0; i < 150; i++)); do
        kill -0 "$pid" 2>/dev/null || break 2
        sleep 0.2
    done
    [[ $signal == KILL ]] || echo "stop.sh: process $pid does not end, killing it" >&2
done
rm -f "$1/pid" "$1/env"
