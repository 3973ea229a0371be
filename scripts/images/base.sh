#!/bin/sh
# base.sh DIRECTORY SUITE [MIRROR]: makes in DIRECTORY the root file system that
# the server images share, a small Debian. Needs root and debootstrap.
set -eu

root=${1:?}
debootstrap --variant=minbase "$2" "$root" ${3:+"$3"}

# Packages start no services in an image, and leave out what no server needs.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
printf 'path-exclude %s\n' '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/locale/*' \
    >"$root/etc/dpkg/dpkg.cfg.d/slim"
printf 'Acquire::Languages "none";\n' >"$root/etc/apt/apt.conf.d/slim"
rm -rf "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/* \
    "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin \
    "$root"/var/cache/apt/archives/*.deb
chmod 755 "$root"
