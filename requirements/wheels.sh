# shellcheck shell=bash
# Sourced by setup.sh and lock.sh.

# Print uv's options, one a line, that say where the CPU build of torch comes from: a folder named
# by UV_FIND_LINKS or PIP_FIND_LINKS that holds the wheel, otherwise PyTorch's CPU index.
torch_source() {
  local version=$1 place
  for place in ${UV_FIND_LINKS-} ${PIP_FIND_LINKS-}; do
    if compgen -G "${place#file://}/torch-$version+cpu-cp311-*.whl" >/dev/null; then
      printf '%s\n' --find-links "$place"
      return
    fi
  done
  printf '%s\n' --torch-backend cpu
}
