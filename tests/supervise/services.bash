# Service directories for tests of supervise. S is the scanned directory.
#
#   service NAME LINE...    NAME/run: a shell script of these lines
#   sup_start [ARGS]        supervise -L text ARGS on S, ready     sup_stop
#   sup_state NAME          its state, as supervise -s says it     sup_is NAME STATE     the same, as a condition
#   sup_field NAME .PATH    a field of its JSON (jq)
#   stat_is NAME TEXT       supervise/stat is TEXT, and the record and pid say the same: sv and the other tools see it
#   sees_none NAME          sv sees no supervisor
#
# Tests that wait for others most of the time run at once:
#   at_once WORDS...        in setup_file: runs each of these commands in a process of its own, with $T, $S and $SVDIR of its own
#   outcome WORD            in a test: waits for the end of the one whose last word this is; fails, with what it said, when it
#                           failed or left something running
bats_require_minimum_version 1.5.0
export SVWAIT=60	# seconds that sv waits where a test does not say -w: its own 7 are few on a busy machine

_own_folder() {
	mkdir -p "$1/s"
	T=$1 S=$1/s
	export SVDIR=$S PENSTOCK_TEST_MARK=$T
}
[ -z "$T" ] || _own_folder "$T"

_alone() { # WORDS...
	trap - DEBUG ERR	# of bats
	set +e
	_own_folder "$BATS_FILE_TMPDIR/${*: -1}"
	unset PAUSE_FD
	(set -e; cd "$T"; trap 'daemons_end || exit 1' EXIT; "$@") >"$T.said" 2>&1 </dev/null
	echo $? >"$T.code"
}
at_once() {
	local words
	# shellcheck disable=SC2086
	for words; do _alone $words 3>&- 4>&- & done
}
outcome() {
	local said=$BATS_FILE_TMPDIR/$1
	wait_until 120 test -s "$said.code" || { cat "$said.said" >&2; return 1; }
	[ "$(cat "$said.code")" -eq 0 ] || { cat "$said.said" >&2; return 1; }
}

script() {
	local file=$1
	shift
	mkdir -p "$(dirname "$file")"
	printf '%s\n' '#!/bin/sh' "$@" >"$file"
	chmod 755 "$file"
}

service() {
	local name=$1
	shift
	# Made elsewhere and moved in, as one does with a running supervisor.
	script "$T/new.$name/run" "$@"
	mv "$T/new.$name" "$S/$name"
}

sup_start() { daemon_start sup supervise -L text "$@" "$S"; }
sup_stop() { daemon_stop sup; }
sup_field() { supervise -s --json "$S" | jq -r --arg n "$1" "select(.name==\$n) | $2"; }
sup_is() { [ "$(sup_field "$1" .state)" = "$2" ]; }
sup_pid() { sup_field "$1" '.pid // "none"'; }
# Text, record and pid are three files, written one after the other: all of them say it; in finish the process is there, too.
stat_is() {
	local b pid
	[ "$(cat "$S/$1/supervise/stat" 2>/dev/null)" = "$2" ] || return 1
	mapfile -t b < <(od -An -v -tu1 -w1 "$S/$1/supervise/status" | tr -d ' ')
	pid=$((b[12] + b[13] * 256 + b[14] * 65536 + b[15] * 16777216))
	[ "$pid" = "$(cat "$S/$1/supervise/pid" 2>/dev/null || echo 0)" ] || [ "$pid" -eq 0 ] || return 1
	case $2,${b[19]} in down*,0 | run*,1) ;; finish*,2) [ "$pid" -gt 0 ] || return 1 ;; *) return 1 ;; esac
	case $2,${b[16]} in *paused*,1) ;; *paused*,*) return 1 ;; *,0) ;; *) return 1 ;; esac
	case $2,${b[18]} in *TERM*,1) ;; *TERM*,*) return 1 ;; *,0) ;; *) return 1 ;; esac
	case $2,${b[17]} in down*) ;; *want*,100) ;; *want*) return 1 ;; *,117) ;; *) return 1 ;; esac
}
sees_none() { [[ $(sv -w 1 status "$1") == *"runsv not running"* ]]; }
stopped() { grep -q '^State:.T' "/proc/$1/status"; }	# a process that sleeps stops when it gets its turn
restarted() { [ "$(sup_field "$1" .restarts)" -ge "$2" ]; }
process_gone() { ! readlink "/proc/$1/exe" >/dev/null 2>&1; }	# a zombie is gone, too
lines_are() { [ "$(wc -l <"$1" 2>/dev/null || echo 0)" -ge "$2" ]; }

# sup_start_not_ready [ARGS]    supervise -L text ARGS on S, not waited for its readiness but for its first state
sup_start_not_ready() {
	daemon_run sup supervise -L text "$@" "$S"
	wait_until 10 supervise_answers
}
supervise_answers() { supervise -s "$S" >/dev/null 2>&1 || [ $? -eq 1 ]; }
