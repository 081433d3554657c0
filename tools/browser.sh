#!/bin/sh
# The browser that the tests of pages run in: Debian's Chromium, with fonts for Chinese. Installed where root may; else
# said, and those tests are skipped (with CI set they fail). Never more than that: nothing else of the machine changes.
set -eu

if [ -x /usr/bin/chromium ]; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "make: installing Chromium for the tests of pages (apt-get install chromium fonts-noto-cjk)" >&2
    if apt-get -qq update &&
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium fonts-noto-cjk >/dev/null; then
        exit 0
    fi
fi
echo "make: no Chromium at /usr/bin/chromium, so the tests of pages are skipped;" \
    "as root: apt-get install chromium fonts-noto-cjk" >&2
