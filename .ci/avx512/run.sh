#!/usr/bin/env bash
# run.sh PACKAGE...: the tests of packages, on an emulated processor with AVX-512.
#
# On Debian 12, as root or with sudo. Bochs emulates a whole machine, as QEMU has no AVX-512; it starts
# Debian's kernel from a CD on which the tests are, and ends when they do. Minutes.
# Fails where the tests do, and where they are not done in AVX512_TIMEOUT seconds (900).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
timeout=${AVX512_TIMEOUT:-900}
[[ $# -gt 0 ]] || { echo "usage: $0 PACKAGE..." >&2; exit 2; }

root() {
    if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi
}
missing=()
need() { # need FILE PACKAGE
    [[ -e $1 ]] || missing+=("$2")
}
need /usr/bin/bochs-bin bochs
need /usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so bochs-term
need /usr/share/bochs/BIOS-bochs-latest bochsbios
need /usr/share/vgabios/vgabios.bin vgabios
need /usr/lib/ISOLINUX/isolinux.bin isolinux
need /usr/lib/syslinux/modules/bios/ldlinux.c32 syslinux-common
need /usr/bin/xorriso xorriso
need /usr/bin/cpio cpio
if [[ ${#missing[@]} -gt 0 ]]; then
    root apt-get update -q
    root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The kernel is unpacked, not installed.
kernel=$(apt-cache depends --important linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2 }')
mkdir -p "$work/kernel" "$work/root/tests" "$work/cd/isolinux"
(cd "$work/kernel" && apt-get download -q "$kernel" && dpkg -x ./*.deb .)
cp "$work"/kernel/boot/vmlinuz-* "$work/cd/vmlinuz"

CGO_ENABLED=0 go build -ldflags '-s -w' -o "$work/root/init" "$here/init.go"
for package in "$@"; do
    CGO_ENABLED=0 go test -c -ldflags '-s -w' -o "$work/root/tests/${package##*/}" "$package"
done
(cd "$work/root" && find . | cpio -o -H newc --quiet) >"$work/cd/initrd"

# Bochs gives the sizes of compacted states (321, 323) and of protection keys (515) wrongly, and the kernel would then
# do without AVX-512; with fast strings (297, 580) or mwait it does not get to the tests.
cat >"$work/cd/isolinux/isolinux.cfg" <<END
default tests
prompt 0
label tests
  kernel /vmlinuz
  append initrd=/initrd console=ttyS0 quiet mitigations=off nopku idle=poll clearcpuid=297,321,323,515,580 -- -test.v -test.short
END
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$work/cd/isolinux/"
xorriso -as mkisofs -quiet -o "$work/tests.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat \
    -no-emul-boot -boot-load-size 4 -boot-info-table "$work/cd"

# Debian's Bochs has its debugger in, to be told to go on, and wants a terminal.
cp "$here/bochsrc" "$work/"
printf 'c\nq\n' >"$work/commands"
cd "$work"
TERM=xterm script -qec "timeout --foreground -s KILL $timeout bochs-bin -q -f bochsrc -rc commands" screen.log </dev/null >/dev/null || true
cat serial.log
if ! grep -q '^init: all passed' serial.log; then
    echo "run.sh: the tests failed, or were not done in $timeout s"
    exit 1
fi
# Each package says in a test what it has found.
if [[ $(grep -c 'this processor has .*AVX-512' serial.log) -lt $# ]]; then
    echo "run.sh: a package has not found AVX-512"
    exit 1
fi
