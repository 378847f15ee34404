#!/usr/bin/env bash
# The load campaign: the gateway beside HAProxy, nginx, nghttpx and YARP, in one run; ratios are what counts.
#   ./bench.sh             5 rounds, under 15 minutes; writes bench/results/DATE.md and the table in README.md
#   ./bench.sh --quick     under 3 minutes; prints only
#   --rounds N  --seed N  --only PEER,PEER  --no-write
# The exit code is 0 if every gate that was measured has passed. Needs .NET 10; peers that are missing are installed with
# apt-get where that is possible, and else left out. Nothing it starts outlives it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here"

refuse() {
  echo "bench.sh: $*" >&2
  exit 2
}

has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

install_missing() {
  local packages=()
  has haproxy || packages+=(haproxy)
  has nginx || packages+=(nginx-light)
  has nghttpx || packages+=(nghttp2-proxy)
  has h2load || packages+=(nghttp2-client)
  has nghttpd || packages+=(nghttp2-server)
  [ ${#packages[@]} -gt 0 ] || return 0
  if [ "$(id -u)" = 0 ] && has apt-get; then
    echo "Installing ${packages[*]} ..."
    apt-get update -qq >/dev/null 2>&1 || true
    # Installed, not started: the packages' own services would take ports and CPU.
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 timeout 300 apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null 2>&1 ||
      echo "Could not install ${packages[*]}."
  else
    echo "Not here: ${packages[*]} (Debian's names)."
  fi
}

has dotnet || refuse "dotnet is missing: install the .NET SDK 10, then run this again."
install_missing

echo "Building ..."
for project in src/Api bench/Yarp bench/Campaign; do
  log=$(dotnet build "$project" -c Release --nologo -v quiet 2>&1) || refuse "$project does not build:
$(grep -E 'error' <<<"$log" | sort -u | head -20)"
done

# A group of its own, so that whatever is left of it can be ended by its number.
set -m
dotnet bench/Campaign/bin/Release/net10.0/campaign.dll "$here" "$@" &
campaign=$!
trap 'kill -TERM "$campaign" 2>/dev/null || true' INT TERM
trap 'kill -KILL -- "-$campaign" 2>/dev/null || true' EXIT
code=0
wait "$campaign" || code=$?
# An interrupted wait returns before the campaign has cleaned up.
while kill -0 "$campaign" 2>/dev/null; do wait "$campaign" || code=$?; done
exit "$code"
