#!/usr/bin/env bash
# Print the SHA-256 of an image; hashes it only if IMAGE.sha256 is not of the file as it is now.
#   containers/digest.sh IMAGE
# IMAGE.sha256 is what sha256sum writes, and a comment with the file's size and time of change.
set -euo pipefail
image=$1 sidecar=$1.sha256

is=$(stat --dereference --format '# %s bytes, modified %.9Y' "$image")
if [[ -r $sidecar ]] && [[ $(sed -n 2p "$sidecar") == "$is" ]]; then
  cut -d ' ' -f 1 "$sidecar" | head -n 1
  exit
fi
digest=$(sha256sum <"$image")
digest=${digest%% *}
# In one step, as others may do the same; where the folder is not ours, every start hashes.
if new=$(mktemp "$sidecar.XXXXXX" 2>/dev/null); then
  printf '%s  %s\n%s\n' "$digest" "$(basename "$image")" "$is" >"$new"
  chmod 644 "$new"
  mv "$new" "$sidecar"
fi
echo "$digest"
