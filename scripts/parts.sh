# For scripts that do several things one after the other: says what is being done, what comes next, and how long each
# part took the last time. To be sourced by bash, with $parts_of set to the name of the script. A script that does parts of
# another one sets $parts_kept_as to the name of that one, and both know how long they take.
#
# The times are kept in .cache/times, a line for each part: name, tab, seconds. Whatever is wrong with that file, the
# parts are done all the same.

parts_times=${PARTS_TIMES:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/.cache/times}

# 75 -> 1 min 15 s
parts_words() {
  if [ "$1" -lt 60 ]; then
    printf '%d s' "$1"
  else
    printf '%d min %02d s' $(($1 / 60)) $(($1 % 60))
  fi
}

# Seconds that the part took the last time; nothing where that is not known.
parts_last() {
  [ -r "$parts_times" ] || return 0
  awk -F '\t' -v name="${parts_kept_as:-$parts_of} $1" '$1 == name && $2 ~ /^[0-9]+$/ && length($2) < 7 { last = $2 }
    END { if (last != "") print last }' "$parts_times" 2>/dev/null || true
}

# In words, with a space before them.
parts_hint() {
  local last
  last=$(parts_last "$1")
  if [ -n "$last" ]; then printf ' (took %s last time)' "$(parts_words "$last")"; fi
}

# Keeps how many seconds a part took.
parts_keep() {
  local draft
  {
    mkdir -p "$(dirname "$parts_times")" &&
      draft=$(mktemp "$parts_times.XXXXXX") &&
      { awk -F '\t' -v name="${parts_kept_as:-$parts_of} $1" 'NF == 2 && $1 != name' "$parts_times" || true
        printf '%s %s\t%d\n' "${parts_kept_as:-$parts_of}" "$1" "$2"; } >"$draft" &&
      mv "$draft" "$parts_times"
  } 2>/dev/null || { [ -z "${draft:-}" ] || rm -f "$draft"; } 2>/dev/null || true
}

# Says every minute that the part is not over: the last crate alone compiles for minutes in which Cargo says nothing. Ends within
# a second of the script, which may end in the middle of the part.
parts_beat() {
  local name=$1 waited=0 last parent
  last=$(parts_last "$name")
  # What reads the words of the script does not wait for the sleep.
  while sleep 1 </dev/null >/dev/null 2>&1 && read -r _ _ _ parent _ </proc/$BASHPID/stat && [ "$parent" = $$ ]; do
    waited=$((waited + 1))
    if [ $((waited % ${PARTS_BEAT:-60})) = 0 ]; then
      printf '%s: %s goes on, %s so far%s\n' "$parts_of" "$name" "$(parts_words "$waited")" \
        "${last:+ of about $(parts_words "$last")}" >&2
    fi
  done
}

# part NUMBER OF NAME NEXT COMMAND..: runs the command. Its time is kept when it succeeds.
part() {
  local number=$1 of=$2 name=$3 next=$4 begun=$SECONDS code=0
  shift 4
  printf '%s: %d of %d: %s%s; then %s\n' "$parts_of" "$number" "$of" "$name" "$(parts_hint "$name")" "$next" >&2
  parts_beat "$name" &
  local beat=$!
  "$@" || code=$?
  kill "$beat" 2>/dev/null || true
  wait "$beat" 2>/dev/null || true
  local took=$((SECONDS - begun))
  if [ "$code" = 0 ]; then
    parts_keep "$name" "$took"
    printf '%s: %s took %s\n' "$parts_of" "$name" "$(parts_words "$took")" >&2
  else
    printf '%s: %s failed after %s\n' "$parts_of" "$name" "$(parts_words "$took")" >&2
  fi
  return "$code"
}
