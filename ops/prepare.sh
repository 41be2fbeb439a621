# shellcheck shell=bash
# Sourced by ops/run and ops/test: checks the system, installs what is missing, asks nothing.

say() { printf '%s\n' "$*"; }
die() {
    printf 'belfry: %s\n' "$*" >&2
    exit 1
}

# One clear message where Belfry cannot be built.
check_system() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        die "this needs Debian or Ubuntu. Elsewhere: install Swift 6.3, libcurl, SQLite, OpenSSL and zlib with their headers and pkg-config, then: swift build -c release --product belfry"
    fi
}

check_swift() {
    local found
    if ! command -v swift >/dev/null; then
        die "Swift is not installed. Get Swift 6.3 or later from https://www.swift.org/install/linux/ and start this again"
    fi
    # Not every release prints its version on the first line.
    found=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' | head -n 1)
    if [ "$(printf '%s\n' 6.3 "${found:-0}" | sort -V | head -n 1)" != 6.3 ]; then
        die "Swift ${found:-of unknown version} is too old. Get Swift 6.3 or later from https://www.swift.org/install/linux/ and start this again"
    fi
}

# not_installed PACKAGE... : those of them that are missing, one a line. One question for all: ops/test asks it each time.
not_installed() {
    local package installed
    installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null) || true
    for package in "$@"; do
        grep -qxF "$package installed" <<<"$installed" || printf '%s\n' "$package"
    done
}

# install_missing PACKAGE... : no service that comes with a package is started.
install_missing() {
    local missing=() sudo=() policy=/usr/sbin/policy-rc.d made=
    mapfile -t missing < <(not_installed "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
            die "missing: ${missing[*]}. Install them as root and start this again: apt-get install -y ${missing[*]}"
        fi
        sudo=(sudo -n)
    fi
    say "installing ${missing[*]}"
    # Debian starts the services it installs unless this file says no (101).
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
        "${sudo[@]}" chmod 755 "$policy"
        made=yes
    fi
    local status=0
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq || status=$?
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" || status=$?
    [ -z "$made" ] || "${sudo[@]}" rm -f "$policy"
    [ "$status" -eq 0 ] || [ -z "$(not_installed "${missing[@]}")" ] || die "apt-get could not install ${missing[*]}"
}

# What the hub is built with, and curl to look at it.
# shellcheck disable=SC2034  # for the scripts that source this
build_packages=(libcurl4-openssl-dev libsqlite3-dev libssl-dev zlib1g-dev pkg-config curl)

# prepare PACKAGE...
prepare() {
    check_system
    check_swift
    install_missing "$@"
}

# prepare_python FOLDER FILE : a venv with the packages of a requirements file, made anew when the file changes. What
# needs it is skipped when PyPI can't be reached, and this says so.
prepare_python() {
    local folder=$1 file=$2 log=$1.log
    cmp -s "$file" "$folder/installed.txt" && return 0
    say "installing the Python packages of ${file#"$PWD/"}"
    rm -rf "$folder"
    mkdir -p "$(dirname "$folder")"
    # Debian's own python3, the one that python3-venv belongs to.
    if /usr/bin/python3 -m venv "$folder" >"$log" 2>&1 &&
        "$folder/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 15 --no-deps \
            --only-binary :all: -r "$file" >>"$log" 2>&1; then
        cp "$file" "$folder/installed.txt"
    else
        say "could not install them from PyPI; the tests that need them are skipped. See $log"
    fi
}
