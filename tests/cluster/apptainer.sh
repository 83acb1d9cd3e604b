#!/usr/bin/env bash
# Provide Apptainer where there is none, and print the folder that has it:
#   PATH=$(tests/cluster/apptainer.sh FOLDER):$PATH
# On Debian it is unstable's package, unpacked into FOLDER with that release's C library: nothing
# of the machine is replaced. The tools that it calls come from the machine's own release.
# Exit 3, with one line, where that cannot be done. Does nothing when it is there.
set -euo pipefail
folder=${1:?folder}

cannot() {
  echo "no Apptainer in PATH, and none to be had: $1" >&2
  exit 3
}

if found=$(command -v apptainer); then
  dirname "$found"
  exit
fi
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
if [[ -e $folder/complete ]]; then
  echo "$folder/usr/bin"
  exit
fi

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[[ $(uname -m) == x86_64 && -r $keyring ]] || cannot "this is not Debian on x86_64; install it from apptainer.org"
as_root=()
((EUID == 0)) || as_root=(sudo --non-interactive)
tools=(patchelf squashfs-tools squashfuse fuse-overlayfs uidmap fakeroot debootstrap)
if ! dpkg --status "${tools[@]}" >/dev/null 2>&1; then
  "${as_root[@]}" apt-get update -qq >/dev/null 2>&1 || cannot "apt-get update failed"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes \
    --no-install-recommends "${tools[@]}" >/dev/null 2>&1 || cannot "cannot install ${tools[*]}"
fi

# A package list of its own, of unstable, from the mirror that this machine uses.
apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
mirror=$(apt-get indextargets --format "\$(REPO_URI)" 'Label: Debian' 'Component: main' | sed -n 1p)
echo "deb [signed-by=$keyring] $mirror sid main" >"$apt/sources.list"
[[ -n $mirror ]] || cannot "apt knows no Debian mirror"
options=(-o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root)
apt-get "${options[@]}" update -qq >/dev/null 2>&1 || cannot "$mirror has no sid"
(cd "$apt" && apt-get "${options[@]}" download -qq apptainer libc6 libseccomp2 libsqlite3-0 >&2) ||
  cannot "$mirror does not give apptainer"
for package in "$apt"/*.deb; do
  dpkg --extract "$package" "$folder"
done

library=$folder/usr/lib/x86_64-linux-gnu
for program in "$folder/usr/bin/apptainer" "$library/apptainer/bin/starter"; do
  patchelf --set-interpreter "$library/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$library" "$program"
done
# Moved, it looks for its settings and its state beside usr/bin, and its starter beside usr/lib.
rm -rf "$folder/usr/etc" "$folder/usr/var"
cp -a "$folder/etc" "$folder/usr/etc"
mkdir -p "$folder/usr/var/lib/apptainer/mnt/session"
ln -sfn ../etc "$folder/usr/lib/etc"
ln -sfn ../var "$folder/usr/lib/var"
"$folder/usr/bin/apptainer" version >/dev/null || cannot "the unpacked one does not start"
# Root without all capabilities (in a container or a small VM) builds in a user namespace.
for file in /etc/subuid /etc/subgid; do
  ((EUID != 0)) || grep -qs ^root: "$file" || echo root:100000:65536 >>"$file"
done
touch "$folder/complete"
echo "$folder/usr/bin"
