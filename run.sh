#!/usr/bin/env bash
# Builds the gateway and serves: ./run.sh [--config FILE]... [--set KEY=VALUE]...   Arguments go to `serve`.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

refuse() {
  echo "run.sh: $*" >&2
  exit 2
}

gateway() {
  dotnet "$here/src/Api/bin/Release/net10.0/spark-gateway.dll" "$@"
}

# A pyspark without the Connect server's jar, such as pyspark-client, starts no driver.
is_spark() {
  [ -n "$1" ] && compgen -G "$1/jars/spark-connect*" >/dev/null
}

# The folder of the pyspark that a Python finds, or nothing. The module is looked up, not imported: that takes a second.
pyspark_of() {
  "$1" -c 'import importlib.util as u; s = u.find_spec("pyspark"); print(s.submodule_search_locations[0] if s else "")' 2>/dev/null || true
}

# The effective configuration starts drivers of Spark, and names no Spark itself.
wants_spark() {
  grep -q '^    engine: spark ' <<<"$1" &&
    grep -q '^    spark_home: "" ' <<<"$1" &&
    grep -q '^    attached: \[\]' <<<"$1" &&
    sed -n '/^    on_demand:/,/^  [a-z]/p' <<<"$1" | grep -q '^      enabled: true'
}

use_spark_of_venv() {
  local home
  home=$(pyspark_of "$here/.venv/bin/python")
  is_spark "$home" || return 1
  export SPARK_HOME=$home PYSPARK_PYTHON="${PYSPARK_PYTHON:-$here/.venv/bin/python}"
}

install_spark() {
  local version=$1
  echo "No Spark found: installing pyspark $version into .venv (some 400 MB, once) ..." >&2
  python3 -m venv "$here/.venv" >/dev/null 2>&1 &&
    "$here/.venv/bin/python" -m pip install --quiet --disable-pip-version-check "pyspark[connect]==$version" >"$here/.venv/pip.log" 2>&1 &&
    use_spark_of_venv
}

command -v dotnet >/dev/null || refuse "dotnet is missing: install the .NET SDK 10, then run this again."

args=("$@")
case " $* " in
  *" --config "* | *" --config="*) ;;
  *)
    args=(--config "$here/config/local.yml" "$@")
    # With a configuration of your own, paths are relative to the folder that you are in.
    export SPARK_GATEWAY_STATE_DIR="${SPARK_GATEWAY_STATE_DIR:-$here/.state}"
    ;;
esac

echo "Building ..." >&2
if ! log=$(cd "$here" && dotnet build src/Api -c Release --nologo -v quiet 2>&1); then
  grep -E 'error|not found|not installed' <<<"$log" | sort -u | head -20 >&2
  refuse "the build failed, see above; the .NET SDK must be version 10."
fi

case " $* " in
  *" --help "* | *" -h "* | *" -? "*) ;;
  *)
    effective=$(gateway check-config "${args[@]}") || exit $?
    if wants_spark "$effective" && ! is_spark "${SPARK_HOME:-}" && ! is_spark "$(pyspark_of python3)" && ! use_spark_of_venv; then
      version=$(sed -n 's/^ *spark_version: "\{0,1\}\([^" ]*\).*/\1/p' <<<"$effective")
      install_spark "$version" ||
        refuse "there is no Spark here and pip could not install one (see .venv/pip.log if it is there): set SPARK_HOME or local.spark_home to a Spark 4, or local.engine to sail, or attach a driver with spark_connect.attached."
    fi
    ;;
esac

exec dotnet "$here/src/Api/bin/Release/net10.0/spark-gateway.dll" serve "${args[@]}"
