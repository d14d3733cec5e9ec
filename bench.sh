#!/usr/bin/env bash
# Builds and runs one comparison; its table of ratios comes last. tests/Gantry.Benchmarks/README.md says what each compares.
#
#   ./bench.sh [peers | authorization | scale | metadata | collection | s3] [--pairs N] [--seconds N] [--mib N] [--fraction X] [--data DIR]
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
case ${1-} in -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
case ${1-peers} in peers | --*) peer=docker-registry ;; *) peer= ;; esac
for tool in wrk hey curl $peer; do
  command -v "$tool" >/dev/null || { echo "bench.sh: install $tool (Debian: apt-get install wrk hey curl docker-registry)" >&2; exit 1; }
done
dotnet build tests/Gantry.Benchmarks -c Release -v q -nologo >&2
exec dotnet tests/Gantry.Benchmarks/bin/Release/net10.0/Gantry.Benchmarks.dll "$@"
