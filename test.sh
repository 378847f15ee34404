#!/usr/bin/env bash
# The only test command: ./test.sh [PROJECT]... [-k WORD]
#   PROJECT   such as Relay.Tests; default: all, the fast ones first, those with real Sparks and clients last
#   -k WORD   only tests whose name contains it
# The last line is "N passed, N failed" (", N skipped" if there are any). Needs .NET 10; what else is missing (Java 17,
# Python 3.11, PostgreSQL) is installed with apt-get where that is possible, and else its tests say why they are skipped.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here" || exit 1
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# Minutes that a project may take: a hang is a failure, with the name of the test that hangs.
limit_of() {
  case $1 in
    EndToEnd.Tests) echo 50 ;;
    Infrastructure.Tests) echo 10 ;;
    *) echo 5 ;;
  esac
}

refuse() {
  echo "test.sh: $*"
  echo "0 passed, 1 failed"
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

install_missing() {
  local packages=()
  { has java && has javac; } || packages+=(openjdk-17-jdk-headless)
  has xz || packages+=(xz-utils)
  has haproxy || packages+=(haproxy)
  has faketime || packages+=(faketime)
  has promtool || packages+=(prometheus)
  { has flock && has setpriv; } || packages+=(util-linux)
  has openssl || packages+=(openssl)
  has curl || packages+=(curl)
  { python3 -c 'import sys, lzma, venv, pip; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null ||
    /usr/bin/python3.11 -c 'import lzma, venv, pip' 2>/dev/null; } || packages+=(python3 python3-venv python3-pip)
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || [ -n "${SPARK_GATEWAY_TEST_POSTGRES:-}" ] || packages+=(postgresql)
  [ ${#packages[@]} -gt 0 ] || return 0
  if [ "$(id -u)" = 0 ] && has apt-get; then
    echo "Installing ${packages[*]} ..."
    apt-get update -qq >/dev/null 2>&1
    DEBIAN_FRONTEND=noninteractive timeout 600 apt-get install -y -qq --no-install-recommends "${packages[@]}" >"$results/apt.log" 2>&1 ||
      { tail -5 "$results/apt.log"; echo "Could not install ${packages[*]}: tests that need them are skipped or fail."; }
  else
    echo "Not here: ${packages[*]}. Tests that need them are skipped or fail."
  fi
}

# Attributes of the result file's first <assembly> element.
count() {
  sed -n "s/.*<assembly [^>]*[ ]$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -1
}

slow_tests() {
  grep -ho '<test [^>]*>' "$results"/*.xml 2>/dev/null |
    sed -n 's/.* name="\([^"]*\)".* time="\([0-9.]*\)".*/\2 \1/p' | sort -rn | awk '$1 >= 5 && NR <= 15 {printf "  %6.1f s  %s\n", $1, $2}'
}

skipped_tests() {
  tr -d '\n' <"$1" | grep -o '<reason><!\[CDATA\[[^]]*\]' | sed 's/<reason><!\[CDATA\[\(.*\)\]/\1/' | sort | uniq -c | sed 's/^ *\([0-9]*\) /  skipped \1: /'
}

run() {
  local project=$1 minutes xml=$results/$1.xml code failures errors
  minutes=$(limit_of "$project")
  echo
  echo "=== $project"
  timeout --kill-after=20 $((minutes * 60)) "tests/$project/bin/Release/net10.0/SparkGateway.$project" \
    -noLogo -noColor -longRunning 120 -result-xml "$xml" ${filter[@]+"${filter[@]}"}
  code=$?
  if [ ! -s "$xml" ] || [ -z "$(count "$xml" total)" ]; then
    if [ "$code" = 124 ] || [ "$code" = 137 ]; then
      echo "$project did not end within $minutes minutes: the long running test named above hangs."
    else
      echo "$project ended with exit code $code and without a result."
    fi
    failed=$((failed + 1))
    return
  fi
  failures=$(count "$xml" failed)
  errors=$(count "$xml" errors)
  passed=$((passed + $(count "$xml" passed)))
  skipped=$((skipped + $(count "$xml" skipped)))
  failed=$((failed + failures + errors))
  skipped_tests "$xml"
  if [ "$code" != 0 ] && [ "$((failures + errors))" = 0 ]; then
    echo "$project ended with exit code $code although no test failed."
    failed=$((failed + 1))
  fi
}

projects=()
filter=()
while [ $# -gt 0 ]; do
  case $1 in
    -k) [ $# -ge 2 ] || refuse "-k needs a word."; filter=(-method "*$2*"); shift 2 ;;
    -*) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
    *) [ -f "tests/$1/$1.csproj" ] || refuse "there is no test project $1."; projects+=("$1"); shift ;;
  esac
done
if [ ${#projects[@]} = 0 ]; then
  for folder in tests/*.Tests; do projects+=("${folder#tests/}"); done
  # Real Sparks last: what is wrong elsewhere shows there too, and later.
  mapfile -t projects < <(printf '%s\n' "${projects[@]}" | sed 's/^EndToEnd/~&/;s/^Infrastructure/}&/' | LC_ALL=C sort | sed 's/^[~}]//')
fi

has dotnet || refuse "dotnet is missing: install the .NET SDK 10, then run this again."
install_missing
[ -x ../shared/fixtures/spark/install.sh ] ||
  echo "../shared/fixtures is missing beside the repository: tests with real Sparks and clients are skipped."

echo "Building ..."
if ! dotnet build SparkGateway.sln -c Release --nologo -v quiet >"$results/build.log" 2>&1; then
  grep -E 'error|not found' "$results/build.log" | sort -u | head -30
  refuse "the build failed, see above."
fi

passed=0 failed=0 skipped=0
for project in "${projects[@]}"; do run "$project"; done

echo
slow=$(slow_tests)
[ -z "$slow" ] || printf 'Slow tests:\n%s\n\n' "$slow"
if [ $((passed + failed + skipped)) = 0 ]; then
  echo "No test has such a name."
  failed=1
fi
if [ "$skipped" -gt 0 ]; then
  echo "$passed passed, $failed failed, $skipped skipped"
else
  echo "$passed passed, $failed failed"
fi
[ "$failed" = 0 ]
