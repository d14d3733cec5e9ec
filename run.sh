#!/usr/bin/env bash
# Runs the server in the foreground, building it first when a source has changed.
#
#   ./run.sh [--urls URL] [--data DIR] [--Section:Key=value ...]
#   ./run.sh admin --help       other verbs of gantry-server, also beside a running server
#
# Without arguments it listens on http://127.0.0.1:5000 and keeps everything in ./data. Settings are those
# of appsettings.json, by option or environment (Access__AdminPassword). Signals reach the server itself.
# --prepare installs and builds, and starts nothing. Logins by LDAP (section Ldap) need libldap, which stays yours to install.
set -euo pipefail

house=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
output=$house/src/Gantry.Server/bin/Release/net10.0
stamp=$output/.built

fail() { printf 'run.sh: %s\n' "$*" >&2; exit 1; }

has_postgresql() {
  command -v initdb >/dev/null && command -v postgres >/dev/null && return
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null
}

# The binaries alone: Debian would also create a cluster and start it as a service, which nobody asked for.
install_postgresql() {
  local rule=/etc/postgresql-common/createcluster.d/gantry.conf package
  package=$(apt-cache depends --important postgresql 2>/dev/null | sed -n 's/.*Depends: \(postgresql-[0-9]*\)$/\1/p')
  if [[ -z $package ]]; then
    apt-get update -q
    package=$(apt-cache depends --important postgresql | sed -n 's/.*Depends: \(postgresql-[0-9]*\)$/\1/p')
  fi
  mkdir -p "${rule%/*}"
  echo 'create_main_cluster = false' >"$rule"
  DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${package:-postgresql}"
  rm -f "$rule"
}

# Anywhere else the server says itself what is missing; a configured database needs no binaries here.
ensure_postgresql() {
  if has_postgresql || [[ -n ${ConnectionStrings__Registry-} || " ${arguments[*]-}" == *' --ConnectionStrings:Registry'* ]]; then
    return 0
  fi
  if ((EUID == 0)) && command -v apt-get >/dev/null; then install_postgresql >&2; fi
}

is_current() {
  [[ -e $stamp && -e $output/gantry-server.dll ]] || return 1
  local newer
  newer=$(find "$house/src" "$house/migrations" "$house/appsettings.json" "$house/global.json" \
    "$house/Directory.Build.props" "$house/Directory.Packages.props" \
    \( -name bin -o -name obj \) -prune -o \( -type f -o -type d \) -newer "$stamp" -print -quit)
  [[ -z $newer ]]
}

# The stamp has the time at which the build began, so that a file saved meanwhile is not missed.
build() {
  local begun
  begun=$(date +@%s.%N)
  dotnet build "$house/src/Gantry.Server" -c Release -v q -nologo >&2 || fail "the build failed"
  touch -d "$begun" "$stamp"
}

verb=serve
case ${1-} in serve | migrate | gc | scrub | admin) verb=$1; shift ;; esac
arguments=()
data=
prepare=
while (($#)); do
  case $1 in
    -h | --help) [[ $verb == serve ]] || { arguments+=("$1"); shift; continue; }; sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --prepare) prepare=yes; shift ;;
    --data) (($# > 1)) || { echo 'run.sh: --data needs a folder' >&2; exit 2; }; data=$2; shift 2 ;;
    --data=*) data=${1#*=}; shift ;;
    *) arguments+=("$1"); shift ;;
  esac
done

command -v dotnet >/dev/null || fail "the .NET SDK $(sed -n 's/.*"version": "\(.*\)".*/\1/p' "$house/global.json") or later is needed: https://dot.net"
ensure_postgresql
mkdir -p "$house/src/Gantry.Server/obj" # for the lock: a fresh clone has no such folder
is_current || (
  flock 9 # two starts at once build once
  is_current || build
) 9>"$house/src/Gantry.Server/obj/run.lock"
[[ -z $prepare ]] || exit 0
[[ -z $data ]] || arguments+=("--Data:Root=$data")
exec dotnet "$output/gantry-server.dll" "$verb" ${arguments[@]+"${arguments[@]}"}
