#!/usr/bin/env bash
# Find what the tests need beyond Python, or install it where that is possible (Debian as root); else say what is missing.
set -euo pipefail

missing=()
packages=()
need() { # need <what> <Debian package> <command>...
  local what=$1 package=$2
  shift 2
  for command in "$@"; do
    command -v "$command" >/dev/null 2>&1 && return
  done
  missing+=("$what")
  packages+=("$package")
}

need "Java 17 or newer" openjdk-17-jre-headless java
need "Maven" maven mvn
[ -n "${GUIDEWATCH_TEST_CHROMIUM:-}" ] || need "Chromium" chromium chromium chromium-browser google-chrome
docker compose version >/dev/null 2>&1 || need "docker-compose" docker-compose docker-compose

[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing what the tests need: ${packages[*]}" >&2
  log=$(mktemp)
  if apt-get update -qq >"$log" 2>&1 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${packages[@]}" >>"$log" 2>&1; then
    rm -f "$log"
    exit 0
  fi
  tail -n 5 "$log" >&2
  rm -f "$log"
fi
IFS=,
echo "The tests need, and cannot install here: ${missing[*]}. On Debian: apt-get install ${packages[*]}" >&2
exit 1
