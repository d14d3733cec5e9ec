#!/usr/bin/env bash
# Installs what the tests need, builds once and runs every test project.
#
#   ./test.sh           everything: root on Debian, well over half an hour on two cores
#   ./test.sh quick     what needs no client of other projects and is not marked Speed=Slow
#   ./test.sh NAME...   these projects only, e.g. Gantry.Oci.Tests
#
# The last line is "N passed, N failed". A skipped test, a project without tests, a crash, a hang and a
# build that fails all count as failed. Logs and results are in TestResults/.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
results=$PWD/TestResults
passed=0
failed=0
running=
beside=
stop() {
  [[ -z $running ]] || kill "$running"
  [[ -z $beside ]] || kill "$beside"
  exit 130
}
trap stop INT TERM

say() { printf '== %s\n' "$*"; }

finish() {
  ((passed + failed)) || failed=1
  printf '%d passed, %d failed\n' "$passed" "$failed"
  exit $((failed > 0))
}

give_up() {
  printf 'test.sh: %s\n' "$*"
  failed=$((failed + 1))
  finish
}

# --- what the tests need ------------------------------------------------------------------------------

static_busybox() { [[ -x /bin/busybox ]] && ! ldd /bin/busybox >/dev/null 2>&1; }

# From Debian 13 on docker's client is a package of its own.
docker_client() { apt-cache show docker-cli 2>/dev/null | grep -q '^Package: docker-cli' && echo docker-cli || echo docker.io; }

missing_packages() {
  local pair
  # slapd brings libldap, which the server needs for LDAP alone. Ceph is the S3 of the tests.
  local pairs=(setpriv:util-linux strace:strace slapd:slapd radosgw:radosgw ceph-mon:ceph-mon ceph-osd:ceph-osd ceph:ceph-common)
  if [[ -z $quick ]]; then
    pairs+=(dockerd:docker.io containerd:containerd ctr:containerd runc:runc crun:crun zsh:zsh fish:fish podman:podman buildah:buildah
      skopeo:skopeo umoci:umoci mmdebstrap:mmdebstrap jq:jq zstd:zstd flock:util-linux wrk:wrk curl:curl docker-registry:docker-registry
      umount:mount mkfs.ext4:e2fsprogs setcap:libcap2-bin node:nodejs npm:npm chromium:chromium)
    [[ -x /usr/bin/docker ]] || docker_client
    static_busybox || echo busybox-static
  fi
  for pair in "${pairs[@]}"; do
    PATH=$PATH:/usr/sbin command -v "${pair%%:*}" >/dev/null || echo "${pair#*:}"
  done
  # Writes the package lists of rpm that the tests read.
  PATH=$PATH:/usr/sbin ldconfig -p | grep -q 'libsqlite3\.so\.0 ' || echo libsqlite3-0
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages | sort -u)
  ((${#missing[@]})) || return 0
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    give_up "install these first (as root on Debian this script does it): ${missing[*]}"
  fi
  say "apt-get install ${missing[*]}"
  # Debian would make a directory and start it as a service, which nobody asked for.
  debconf-set-selections <<<'slapd slapd/no_configuration boolean true'
  {
    apt-get update -q && mapfile -t missing < <(missing_packages | sort -u) &&
      DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
  } >"$results/install.log" 2>&1 || { tail -n 40 "$results/install.log"; give_up "apt-get install failed"; }
}

# The OpenID provider that people of the tests sign in to, and what drives Chromium.
node_folders=(tests/Gantry.Server.Tests/Auth/SingleSignOn/provider tests/Gantry.Pages.Tests/browser)

install_node_packages() {
  [[ -z $quick ]] || return 0
  # Debian 12 has 18, which the provider does not run on.
  (($(node -p 'process.versions.node.split(".")[0]') >= 20)) ||
    give_up "install Node.js 20 or later (there is $(node --version)): https://nodejs.org"
  local folder
  for folder in "${node_folders[@]}"; do
    [[ $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ]] && continue
    say "npm ci in $folder"
    (cd "$folder" && npm ci) >"$results/npm.log" 2>&1 || { tail -n 40 "$results/npm.log"; give_up "npm ci failed"; }
  done
}

# --- a faster start -----------------------------------------------------------------------------------

# A start of the server is two seconds of compiling, and the tests start it some hundreds of times. What a start runs
# through becomes native code once, where the tests start it from. The next build puts back what it made itself.
compile_ahead() {
  local built=src/Gantry.Server/bin/Release/net10.0 ahead=src/Gantry.Server/obj/ahead tests=tests/Gantry.Server.Tests/bin/Release/net10.0
  local compiler name each options=(--targetos linux -O)
  compiler=$(compgen -G "${NUGET_PACKAGES:-$HOME/.nuget/packages}/microsoft.netcore.app.crossgen2.linux-*/10.0.12/tools/crossgen2") || return 1
  for each in Microsoft.NETCore.App Microsoft.AspNetCore.App; do
    name=$(dotnet --list-runtimes | sed -n "s|^$each \(10\.0\.[0-9]*\) \[\(.*\)\]$|\2/\1|p" | sort -V | tail -n 1)
    options+=(-r "$name/*.dll")
  done
  mkdir -p "$ahead"
  for each in "$built"/{Gantry.*,gantry-server,Microsoft.EntityFrameworkCore*,Npgsql*,System.CommandLine,AWSSDK.*}.dll; do
    name=${each##*/}
    [[ $ahead/$name -nt $each ]] || cmp -s "$ahead/$name" "$each" && continue
    "$compiler" "$each" -o "$ahead/$name" -r "$built/*.dll" "${options[@]}" || return 1
  done
  # Not into the files themselves: a server that runs has them mapped.
  cp --remove-destination "$ahead"/*.dll "$built" && cp --remove-destination "$ahead"/*.dll "$tests"
}

# What people install is what the tests run, and it starts in a tenth of the time.
publish_command() {
  dotnet publish src/Gantry.Cli -o artifacts/gantry -v q -nologo && export GANTRY_PROGRAM=$PWD/artifacts/gantry/gantry
}

# --- one project --------------------------------------------------------------------------------------

# An attribute of the result file's assemblies, added up. The file is a machine's: no text in a language.
count() { # FILE ATTRIBUTE
  grep -o '<assembly [^>]*>' "$1" | sed -n "s/.* $2=\"\([0-9]*\)\".*/\1/p" | awk '{n += $1} END {print n + 0}'
}

run_project() { # NAME [TITLE OPTION...]
  local name=$1 title=${2:-$1} good=0 bad=0 code=0 began=$SECONDS
  local log=$results/${title// /-}.log xml=$results/${title// /-}.xml
  local options=(-noColor -noLogo -reporter quiet -failSkips -longRunning 120 -xml "$xml" "${@:3}")
  [[ -z $quick ]] || options+=(-trait- Speed=Slow)
  rm -f "$xml" "$log"
  say "$title"
  # Nor are they compiled anew when they have used something for a while, as a minute (in hexadecimal) is all they live.
  [[ $name != Gantry.Server.Tests ]] || local -x DOTNET_TC_CallCountingDelayMs=EA60
  # timeout makes a process group of it: at the end of the limit daemons that the tests started end too.
  timeout --signal=TERM --kill-after=30 "$limit" \
    dotnet "tests/$name/bin/Release/net10.0/$name.dll" "${options[@]}" >"$log" 2>&1 </dev/null &
  running=$!
  wait "$running" || code=$?
  running=
  if [[ -s $xml ]] && grep -q '</assemblies>' "$xml"; then
    good=$(count "$xml" passed)
    bad=$(($(count "$xml" failed) + $(count "$xml" errors) + $(count "$xml" skipped)))
  fi
  if ((code == 124 || code == 137)); then
    echo "ended after $limit s: a test hangs" >>"$log"
    bad=$((bad + 1))
  elif ((code != 0 && bad == 0)); then
    echo "the test process ended with exit code $code" >>"$log"
    bad=1
  elif ((good + bad == 0)) && [[ -z $quick ]]; then
    echo "no test was run" >>"$log"
    bad=1
  fi
  ((bad == 0)) || tail -n 2000 "$log"
  # Which clients of other projects a run drove, and in which versions.
  [[ ! -s $xml ]] || grep -o 'drives [^&<]*' "$xml" | sort -u | sed 's/^/   /'
  passed=$((passed + good))
  failed=$((failed + bad))
  say "$title: $good passed, $bad failed in $((SECONDS - began)) s"
}

# What /v2 answers does not depend on where blobs lie. The 4 GiB of sixteen uploads get an S3 of their own, which lies in memory.
run_v2_on_s3() {
  export GANTRY_TEST_BACKEND=S3
  run_project Gantry.Server.Tests "Gantry.Server.Tests.V2 on S3" -namespace Gantry.Server.Tests.V2 -method- '*SixteenUploadsOf256MiB*'
  run_project Gantry.Server.Tests "Gantry.Server.Tests.V2 on S3, memory" -method '*SixteenUploadsOf256MiB*'
  unset GANTRY_TEST_BACKEND
}

# A project beside all others: docker and the rest wait for each other and for the disk most of the time. What it says comes at the end.
run_beside() { # NAME
  (
    trap stop INT TERM
    run_project "$1" >"$results/beside.log"
    echo "$passed $failed" >"$results/beside.count"
  ) &
  beside=$!
}

finish_beside() {
  [[ -n $beside ]] || return 0
  local good=0 bad=1
  wait "$beside"
  beside=
  cat "$results/beside.log"
  read -r good bad <"$results/beside.count"
  passed=$((passed + good))
  failed=$((failed + bad))
}

# --- the run ------------------------------------------------------------------------------------------

quick=
projects=()
clients=
for argument; do
  case $argument in
    quick) quick=yes ;;
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) projects+=("$argument") ;;
  esac
done
if ((${#projects[@]} == 0)); then
  mapfile -t projects < <(for each in tests/*.Tests; do echo "${each#tests/}"; done | grep -v EndToEnd)
  [[ -n $quick ]] || clients=Gantry.EndToEnd.Tests
fi
[[ -n $quick ]] && limit=${TEST_LIMIT:-300} || limit=${TEST_LIMIT:-2400}

mkdir -p "$results"
command -v dotnet >/dev/null || give_up "install the .NET SDK that global.json names: https://dot.net"
install_packages
install_node_packages

say "build"
[[ -n $quick ]] || export COMPILE_AHEAD=yes
# Servers and commands that tests start are gone before .NET has used what it learns of them: an eighth of the CPU time.
export DOTNET_TieredPGO=0
# A build server that outlives the script is welcome at a desk, not in CI.
[[ -z ${CI-} ]] || export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false
dotnet build Registry.sln -c Release -v q -nologo >"$results/build.log" 2>&1 ||
  { cat "$results/build.log"; give_up "the build failed"; }
./run.sh --prepare >"$results/prepare.log" 2>&1 || { cat "$results/prepare.log"; give_up "run.sh --prepare failed"; }
if [[ -z $quick ]]; then
  publish_command >"$results/publish.log" 2>&1 || { cat "$results/publish.log"; give_up "publishing the command failed"; }
  compile_ahead >"$results/ahead.log" 2>&1 || { cat "$results/ahead.log"; give_up "compiling ahead failed"; }
fi

rm -f "$results/beside.count"
[[ -z $clients ]] || run_beside "$clients"
for project in "${projects[@]}"; do
  run_project "$project"
  [[ -n $quick || $project != Gantry.Server.Tests ]] || run_v2_on_s3
done
finish_beside
finish
