#!/bin/sh
# Makes sure that a fitting Node.js and pnpm are on the PATH that the Makefile sets.
# Where the machine's own do not fit, installs the pinned ones from the npm registry into .tools/
# (ignored by git; nothing is installed globally). Needs any Node.js with npm.
set -eu
cd "$(dirname "$0")/.."

fits() {
  # Node >= 22.22 (kysely, vitest and testcontainers need it), pnpm 11 (pnpm-lock.yaml is made by it).
  command -v node >/dev/null 2>&1 && command -v pnpm >/dev/null 2>&1 || return 1
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 22) ? 0 : 1)' || return 1
  case "$(COREPACK_ENABLE_DOWNLOAD_PROMPT=0 pnpm --version 2>/dev/null)" in 11.*) return 0 ;; *) return 1 ;; esac
}

wanted=$(cksum <scripts/toolchain/package.json)
have=$(cat .tools/stamp 2>/dev/null || true)
[ -d .tools ] && [ "$wanted" = "$have" ] && exit 0
[ ! -d .tools ] && fits && exit 0

command -v npm >/dev/null 2>&1 || {
  echo "toolchain: this needs Node.js >= 22.22 and pnpm 11, or any Node.js with npm to fetch them; neither is on PATH" >&2
  exit 1
}
echo "toolchain: installing the pinned Node.js and pnpm into .tools/" >&2
# Built beside and moved into place, so that an interrupted install never looks finished.
new=.tools.$$
trap 'rm -rf "$new"' EXIT INT TERM
mkdir -p "$new"
cp scripts/toolchain/package.json "$new/"
(cd "$new" && npm install --ignore-scripts --no-audit --no-fund --no-package-lock --no-update-notifier --loglevel=error >&2)
"$new/node_modules/.bin/node" --version >/dev/null || {
  echo "toolchain: no Node.js package for this platform ($(uname -sm)); install Node.js 24 and pnpm 11 yourself" >&2
  exit 1
}
printf '%s\n' "$wanted" >"$new/stamp"
rm -rf .tools
mv "$new" .tools
