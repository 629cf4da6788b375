# Running daemons in a test: start one and know that it is ready, stop it, and fail when anything of it is left.
#
#   load ../lib/daemon              teardown is then daemons_end; a test file with its own teardown calls it there
#
#   daemon_start NAME PROG ARGS     in the background, as "PROG -F 9 ARGS"; returns when it said ready, fails when it dies before
#   daemon_run NAME PROG ARGS       the same without -F: returns at once
#   daemon_stop NAME [SIGNAL]       TERM (or SIGNAL) as soon as it can hear it, waits; fails unless it exits with code 0
#   daemon_kill NAME                kill -9, waits; a socket file it leaves is then no fault
#   daemon_wait NAME                waits until it ends by itself; its exit code in $status
#   daemon_signal NAME SIGNAL       daemon_pid NAME       daemon_alive NAME
#   daemon_fds NAME                 how many descriptors it has, without the one that it said ready on
#   wait_for FILE REGEX [SECONDS]   until a line of FILE matches (grep -E)
#   wait_until SECONDS COMMAND...   until the command succeeds; SECONDS below $PATIENCE count as $PATIENCE: a machine may be busy
#   wait_socket PATH [SECONDS]
#   not COMMAND...                  fails when the command succeeds (`! COMMAND` fails nothing, unless it is a test's last line)
#
# Output of NAME is in $T/NAME.out and $T/NAME.err, begun anew with each start; $T is the test's own folder. SECONDS default to
# $PATIENCE. Nothing sleeps for a fixed time: a wait looks every 20 ms, more
# seldom when a look takes long, and fails at its end, saying what it waited for.

T=${BATS_TEST_TMPDIR:-}
PATIENCE=${PATIENCE:-20}
BIN=${BIN:-$BATS_TEST_DIRNAME/../../bin}
BIN=$(cd "$BIN" 2>/dev/null && pwd) || { echo "no folder of programs: build first, or set BIN" >&2; exit 1; }
ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
# Lines on stdin have the data that penstock-events(5) promises; how many of each type, on stdout.
schema() { python3 "$ROOT/tests/lib/schema.py" "$ROOT/man/penstock-events.5"; }
export BIN ROOT PATH="$BIN:$PATH" PENSTOCK_TEST_MARK=$T

declare -gA DAEMON_PID=()	# name -> process
declare -g DAEMON_KILLED=no	# a kill -9 may leave socket files

# So many microseconds (20 ms), without a process: reading from a pipe that nobody writes.
_pause() {
	local nothing
	# A subshell that paused first has made the file, and not the descriptor.
	if [ -z "${PAUSE_FD:-}" ]; then
		[ -p "$T/.pause" ] || mkfifo "$T/.pause"
		exec {PAUSE_FD}<>"$T/.pause"
	fi
	printf -v nothing %06d "${1:-20000}"
	read -r -t "0.$nothing" -u "$PAUSE_FD" nothing || true
}

wait_until() {
	local end=$((SECONDS + ($1 < PATIENCE ? PATIENCE : $1) + 1)) _from _took
	shift
	# Bats notes each command of a test, also of the functions that it calls, and takes as long for that as a process does: not of a look.
	until _from=${EPOCHREALTIME//[!0-9]/}; set +T; "$@"; do
		set -T
		[ "$SECONDS" -lt "$end" ] || { echo "waited in vain for: $*" >&2; return 1; }
		# Two thirds of the time for what is waited for, or all that wait would leave it no processor.
		_took=$((2 * (${EPOCHREALTIME//[!0-9]/} - _from)))
		_pause $((_took < 20000 ? 20000 : _took < 200000 ? _took : 200000))
	done
	set -T
}

not() { ! "$@" || { echo "this ought to fail: $*" >&2; return 1; }; }

_has_line() { [ -e "$1" ] && grep -Eq -e "$2" -- "$1"; }

wait_for() {
	wait_until "${3:-$PATIENCE}" _has_line "$1" "$2" && return
	echo "last lines of $1:" >&2
	tail -n 20 -- "$1" >&2 || true
	return 1
}

_is_socket() { [ -S "$1" ]; }
wait_socket() { wait_until "${2:-$PATIENCE}" _is_socket "$1"; }

daemon_pid() { echo "${DAEMON_PID[$1]}"; }
# A zombie that the shell has not collected yet has ended, too.
_pid_gone() {
	local state
	kill -0 "$1" 2>/dev/null || return 0
	read -r _ _ state _ 2>/dev/null <"/proc/$1/stat" || return 0
	[ "$state" = Z ]
}
daemon_alive() { kill -0 "${DAEMON_PID[$1]}" 2>/dev/null; }
daemon_signal() { kill -"$2" "${DAEMON_PID[$1]}"; }
# What is said on it is read before it is closed.
daemon_fds() {
	local pid=${DAEMON_PID[$1]}
	_let_go() { [[ $(readlink "/proc/$pid/fd/9") != *"/.ready.$1"* ]]; }
	wait_until "$PATIENCE" _let_go "$1" && find "/proc/$pid/fd" -mindepth 1 | wc -l
}

daemon_run() {
	local name=$1
	shift
	# Here and not only by the process that is to come, or a wait could find what an earlier one of this name wrote.
	: >"$T/$name.out"
	: >"$T/$name.err"
	"$@" >"$T/$name.out" 2>"$T/$name.err" </dev/null 3>&- &
	DAEMON_PID[$name]=$!
}

daemon_start() {
	local name=$1 prog=$2 ready fd answer=
	shift 2
	ready=$T/.ready.$name
	rm -f "$ready"
	mkfifo "$ready"
	# Opening either end waits for the other; when the daemon dies, reading ends.
	"$prog" -F 9 "$@" 9>"$ready" >"$T/$name.out" 2>"$T/$name.err" </dev/null 3>&- &
	DAEMON_PID[$name]=$!
	exec {fd}<"$ready"
	if ! read -r -t "$PATIENCE" -u "$fd" answer; then
		exec {fd}<&-
		echo "$name did not get ready: $prog $*" >&2
		tail -n 20 "$T/$name.err" >&2
		return 1
	fi
	exec {fd}<&-
	rm -f "$ready"
}

# What each thread of a process does: waits (for the disk, when its state is D), runs; and signals it has not taken.
_where() {
	local task
	for task in "/proc/$1/task"/*; do
		echo "thread ${task##*/}: $(grep -E '^(State|SigPnd|ShdPnd)' "$task/status" | tr -s '\t\n' ' ')in $(<"$task/wchan")"
	done
}

# Waits for the end of NAME; its code in $status.
_reap() {
	local pid=${DAEMON_PID[$1]}
	if ! wait_until "$PATIENCE" _pid_gone "$pid"; then
		echo "$1 (pid $pid) does not end" >&2
		_where "$pid" >&2
		tail -n 20 "$T/$1.err" >&2
		kill -9 "$pid"
		wait "$pid" 2>/dev/null || true
		unset "DAEMON_PID[$1]"
		return 1
	fi
	status=0
	wait "$pid" 2>/dev/null || status=$?
	unset "DAEMON_PID[$1]"
}

daemon_wait() { _reap "$1"; }

# It catches the signal or reads it from a descriptor (a file of the kernel's, proc(5): hexadecimal sets, bit 0 is signal 1), or has ended.
_hears() {
	local key set n=15
	case $2 in INT) n=2 ;; HUP) n=1 ;; TERM) ;; *) return 0 ;; esac
	_pid_gone "$1" && return
	while read -r key set; do
		case $key in SigBlk: | SigCgt:) ((16#$set >> (n - 1) & 1)) && return ;; esac
	done 2>/dev/null <"/proc/$1/status"
	return 1
}

daemon_stop() {
	local name=$1 pid=${DAEMON_PID[$1]}
	# What was started a moment ago may not be that far.
	wait_until "$PATIENCE" _hears "$pid" "${2:-TERM}"
	kill -"${2:-TERM}" "$pid" 2>/dev/null || echo "$name was gone before it was stopped" >&2
	_reap "$name" || return 1
	[ "$status" -eq 0 ] && return
	echo "$name ended with code $status" >&2
	tail -n 20 "$T/$name.err" >&2
	return 1
}

daemon_kill() {
	DAEMON_KILLED=yes
	kill -9 "${DAEMON_PID[$1]}"
	_reap "$1"
}

# Stops what runs; fails if something does not stop well, or a process or a socket of this test is left.
daemons_end() {
	local bad=0 name left
	for name in "${!DAEMON_PID[@]}"; do
		daemon_stop "$name" || bad=1
	done
	left=$(env -u PENSTOCK_TEST_MARK grep -lszF "PENSTOCK_TEST_MARK=$T" /proc/[0-9]*/environ 2>/dev/null) || true
	for name in $left; do
		name=${name#/proc/} name=${name%/environ}
		# Gone meanwhile, or a zombie whose command line is empty.
		[ -n "$(tr -d '\0' <"/proc/$name/cmdline" 2>/dev/null)" ] || continue
		echo "left running: $name $(tr '\0' ' ' <"/proc/$name/cmdline")" >&2
		kill -9 "$name" 2>/dev/null || true
		bad=1
	done
	if [ "$DAEMON_KILLED" = no ]; then
		left=$(find "$T" -type s 2>/dev/null)
		[ -z "$left" ] || { echo "sockets left: $left" >&2; bad=1; }
	fi
	return "$bad"
}

teardown() { daemons_end; }
