#!/bin/sh
# Brings the toolchain and the dependencies up to date. Returns at once when nothing has changed since.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.tools/node_modules/.bin:$PATH"
export PATH NODE_USE_SYSTEM_CA=1

state() {
  node --version 2>/dev/null || echo none
  cat pnpm-lock.yaml pnpm-workspace.yaml package.json packages/*/package.json apps/*/package.json examples/*/package.json \
    test/package.json scripts/toolchain/package.json | cksum
}
fresh() { [ "$(state)" = "$(cat node_modules/.deps-stamp 2>/dev/null)" ]; }
fresh && exit 0

# Two at once would install into each other's folders: the second waits for the first.
lock=.deps.lock
until mkdir "$lock" 2>/dev/null; do
  holder=$(cat "$lock/pid" 2>/dev/null || true)
  if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
    rm -rf "$lock" # its holder was killed
  elif [ -z "$holder" ] && [ -n "$(find "$lock" -prune -mmin +1 2>/dev/null)" ]; then
    rm -rf "$lock" # killed before it could say who it was
  else
    [ -n "${waiting:-}" ] || echo "deps: waiting for the installation of process ${holder:-another}" >&2
    waiting=yes
    sleep 1
  fi
done
echo $$ >"$lock/pid"
trap 'rm -rf "$lock"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
fresh && exit 0

# A Node.js too old for NODE_USE_SYSTEM_CA, and npm, trust a private certificate authority only so.
if [ -z "${NODE_EXTRA_CA_CERTS:-}" ]; then
  for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
    if [ -r "$bundle" ]; then
      export NODE_EXTRA_CA_CERTS="$bundle"
      break
    fi
  done
fi

scripts/toolchain.sh
# Without a terminal nobody could answer whether node_modules may be made anew.
pnpm install --frozen-lockfile --prefer-offline --config.confirmModulesPurge=false >&2
state >node_modules/.deps-stamp
