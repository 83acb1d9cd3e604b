#!/usr/bin/env bash
# Build containers/bench.sif from containers/bench.def; `make container` runs this.
#   containers/build.sh cpu|cuda [BASE]
# BASE: docker (the image that the .def pins), debootstrap (made here of Debian's packages; needs
# root), or the file of an image with Python 3.11; without, docker if Docker's hub can be reached.
set -euo pipefail
cd "$(dirname "$0")/.."
torch=$1 base=${2-}

fail() {
  echo "make container: $1" >&2
  exit 2
}

[[ $torch == cpu || $torch == cuda ]] || fail "TORCH=$torch: legal: cpu, cuda"
command -v apptainer >/dev/null || fail "no apptainer in PATH; load its module, or install it (apptainer.org)"
git rev-parse --verify --quiet HEAD >/dev/null || fail "this is no git checkout: the image names its commit"

if [[ -z $base ]]; then
  base=docker
  if ! curl --silent --max-time 10 --output /dev/null https://registry-1.docker.io/v2/; then
    base=debootstrap
    echo "container: Docker's hub cannot be reached: the base is made of Debian's packages, which are not pinned"
  fi
fi
stage=$(mktemp -d)
trap 'rm -rf --one-file-system "$stage" containers/new.sif' EXIT
mkdir "$stage/code" "$stage/wheels"

# The code as git sees it, with what is changed and not committed: then the image says so.
commit=$(git rev-parse HEAD)
dirty=false
[[ -z $(git status --porcelain) ]] || dirty=true
cp "$(git rev-parse --git-path index)" "$stage/index"
tree=$(export GIT_INDEX_FILE=$stage/index && git add --all && git write-tree)
git archive "$tree" bench suites requirements pyproject.toml LICENSE | tar -x -C "$stage/code"
lock=$(cd requirements && cat lock.txt "torch-$torch.txt" uv.txt | sha256sum | cut -d ' ' -f 1)
printf '{"commit": "%s", "dirty": %s, "lock": "%s", "torch": "%s"}\n' \
  "$commit" "$dirty" "$lock" "$torch" >"$stage/code/image.json"

case $base in
  docker) from=() ;;
  debootstrap)
    ((EUID == 0)) || fail "only root can make a base by debootstrap; BASE=FILE, an image with Python 3.11, needs no root"
    command -v debootstrap >/dev/null || fail "no debootstrap in PATH; install it, or give BASE=FILE, an image with Python 3.11"
    debian=http://deb.debian.org/debian
    # From the mirror that this machine's apt uses, if it says so; the image names Debian's own.
    mirror=$(apt-get indextargets --format "\$(REPO_URI)" 'Label: Debian' 'Component: main' 2>/dev/null | sed -n 1p)
    # (python3.11-venv needs distutils by a virtual name, which debootstrap does not follow.)
    debootstrap --variant=minbase --include=ca-certificates,python3.11-venv,python3-distutils \
      bookworm "$stage/base" "${mirror:-$debian}" >"$stage/log" || fail "debootstrap: $(tail -n 1 "$stage/log")"
    echo "deb $debian bookworm main" >"$stage/base/etc/apt/sources.list"
    truncate --size 0 "$stage"/base/etc/{resolv.conf,hostname}
    rm -rf "$stage"/base/dev/* "$stage"/base/var/{cache,lib}/apt/* "$stage"/base/var/log/*
    from=(BOOTSTRAP=localimage BASE="$stage/base") ;;
  *)
    [[ -e $base ]] || fail "BASE=$base: legal: docker, debootstrap, or the file of an image"
    from=(BOOTSTRAP=localimage BASE="$base") ;;
esac

# How this machine reaches packages: needed while building, recorded nowhere.
for name in PIP_INDEX_URL UV_DEFAULT_INDEX {http,https,no}_proxy {HTTP,HTTPS,NO}_PROXY; do
  [[ -z ${!name-} ]] || printf 'export %s=%q\n' "$name" "${!name}"
done >"$stage/settings"
certificates=${PIP_CERT:-${SSL_CERT_FILE-}}
if [[ -n $certificates ]]; then
  cp "$certificates" "$stage/certificates"
  echo 'export PIP_CERT=/mnt/certificates' >>"$stage/settings"
fi
for place in ${UV_FIND_LINKS-} ${PIP_FIND_LINKS-}; do
  cp "${place#file://}"/torch-*+cpu-cp311-*.whl "$stage/wheels" 2>/dev/null || continue
  echo 'export PIP_FIND_LINKS=/mnt/wheels' >>"$stage/settings"
done

# Root needs a namespace where it may not do everything (in a container or a small VM).
# zstd is packed much faster than gzip, and unpacked faster at every start.
(umask 022 && apptainer --silent build --force --fakeroot --mksquashfs-args "-comp zstd -Xcompression-level 3" \
  "${from[@]/#/--build-arg=}" --build-arg=TORCH="$torch" \
  --bind "$stage:/mnt" containers/new.sif containers/bench.def)
mv containers/new.sif containers/bench.sif
digest=$(containers/digest.sh containers/bench.sif)
echo "container: containers/bench.sif, $(du -h --apparent-size containers/bench.sif | cut -f 1), commit ${commit:0:12}$($dirty && echo ' with changes'), sha256 $digest"
