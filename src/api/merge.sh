#!/bin/sh
# One static library of many, that exports nothing but dyno_*: links everything into one object and
# makes all other symbols local.
#     merge.sh OUTPUT CC OBJCOPY AR API_LIBRARY ROOM_LIBRARY...
set -eu
output=$1 cc=$2 objcopy=$3 ar=$4 api=$5
shift 5
object=${output%.a}.o
"$cc" -r -nostdlib -o "$object" -Wl,--whole-archive "$api" -Wl,--no-whole-archive \
    -Wl,--start-group "$@" -Wl,--end-group
"$objcopy" --wildcard --keep-global-symbol='dyno_*' "$object"
rm -f "$output"
"$ar" rcs "$output" "$object"
