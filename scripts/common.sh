# What the set-up scripts share; sourced from the project's directory.

say() { printf '%s\n' "setup: $*"; }
fail() {
  printf '%s\n' "setup: error: $1" "setup: hint: $2" >&2
  exit 1
}

# Runs a command up to three times: package registries and networks have bad moments.
retry() {
  local attempt
  for attempt in 1 2 3; do
    if "$@"; then return 0; fi
    if [ "$attempt" -lt 3 ]; then
      say "attempt $attempt failed, trying again in $((attempt * 3)) s"
      sleep $((attempt * 3))
    fi
  done
  return 1
}

# Installs what the caller's `missing_packages` names, one Debian package a line.
install_packages() {
  local packages
  mapfile -t packages < <(missing_packages)
  if [ "${#packages[@]}" -eq 0 ]; then return; fi
  if ! command -v apt-get >/dev/null; then
    fail "missing: ${packages[*]} (Debian's package names)" \
      "install what your system calls these, then run this again"
  fi
  if [ "$(id -u)" -ne 0 ]; then
    fail "missing packages: ${packages[*]}" \
      "sudo apt-get install --no-install-recommends ${packages[*]}"
  fi
  say "installing ${packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  retry apt-get update -q || say "apt-get update failed; going on with the lists at hand"
  retry apt-get install -q -y --no-install-recommends "${packages[@]}" \
    || fail "apt-get could not install ${packages[*]}" "read its messages above"
  mapfile -t packages < <(missing_packages)
  if [ "${#packages[@]}" -gt 0 ]; then
    fail "still missing after the installation: ${packages[*]}" \
      "check that the programs in PATH are the ones apt-get installs for"
  fi
}

# Makes a Python environment: its directory, its requirements, and what that is in words.
#
# The stamp is what it was made from, its own path included, since a venv cannot be moved. It is
# written last, so an environment without the right one is half made or outdated.
make_environment() {
  local directory=$1 requirements=$2 id stamp=$1/.dynarc-setup
  id=$({ pwd; python3 --version; cat "$requirements"; } | sha256sum | cut -d ' ' -f 1)
  if [ -x "$directory/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$id" ]; then return; fi
  say "making $directory with $3"
  rm -rf "$directory"
  python3 -m venv "$directory" \
    || fail "python3 cannot make a virtual environment" \
      "apt-get install python3-venv (it brings ensurepip), then run this again"
  retry "$directory/bin/pip" --disable-pip-version-check install --quiet -r "$requirements" \
    || fail "pip could not install $requirements" "check the network and pip's configuration"
  echo "$id" >"$stamp"
}
