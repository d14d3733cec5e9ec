#!/usr/bin/env bash
# Builds and runs one comparison; its table of ratios comes last. tests/Gantry.Benchmarks/README.md says what each compares.
#
#   ./bench.sh [peers | authorization | scale | metadata | collection | s3 | pages] [--pairs N] [--seconds N] [--mib N] [--fraction X] [--data DIR]
#   ./bench.sh pull [--quick] [--pairs N] [--fraction X] [--images DIR] [--data DIR]
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
case ${1-} in -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
run=${1-peers}
case $run in
  peers | --*) tools=(wrk hey curl docker-registry) ;;
  pull) tools=(docker-registry podman ctr containerd dockerd docker skopeo umoci curl gzip tar mkfs.ext4) ;;
  pages) tools=() ;;
  *) tools=(wrk hey curl) ;;
esac
for tool in "${tools[@]}"; do
  PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null ||
    { echo "bench.sh: install $tool (Debian: apt-get install wrk hey curl docker-registry, for pull podman containerd docker.io skopeo umoci e2fsprogs)" >&2; exit 1; }
done
dotnet build tests/Gantry.Benchmarks -c Release -v q -nologo >&2
if [[ $run == pull ]]; then
  # What people install, not what the tests run: published, it is compiled ahead of time.
  dotnet publish src/Gantry.Cli -o artifacts/gantry -v q -nologo >&2
  set -- "$@" --gantry "$PWD/artifacts/gantry/gantry"
fi
exec dotnet tests/Gantry.Benchmarks/bin/Release/net10.0/Gantry.Benchmarks.dll "$@"
