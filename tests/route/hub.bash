# A hub in $T: folder spool, sockets in run, rules in the file rules. $P is probe_link (its head says what it does).
#
#   hub [NAME] [OPTION...]      starts it (NAME hub); the rules are `all -> store` when there is no file yet
#   put [BATCH]                 stdin to it; prints the outcome of each batch
#   take NAME N BATCHES         one connection; lines on stdout. The first batch may have few lines of many: the hub reads its spool in
#                               slices, and gives what it has
#   takes NAME LINES [N]        the same, N at a time, until LINES have come
#   ask ENDPOINT TEXT           one request, its answer
#   spooled                     all committed lines of the spool, in order
#   cursor NAME MEMBER          a number of the newest slot of a cursor
#   stuck DEST                  a worker of DEST that takes some lines and never reports; unstick ends it
#   has NAME MEMBER N           is it N? (for wait_until)
#   lanes [FILE]                lines by conversation, each one's in the order they have: what a destination keeps
bats_require_minimum_version 1.5.0
load ../lib/daemon
load ../lib/line
load ../lib/unit

setup() { cd "$T"; }

hub() {
	local name=hub
	case "${1:-}" in -* | "") ;; *) name=$1; shift ;; esac
	[ -e rules ] || echo 'all -> store' > rules
	mkdir -p run
	daemon_start "$name" route -L text -R run -d spool -r rules -M run/metrics "$@"
}

put() { "$P" put ipc://run/in "${1:-256}"; }
ask() { "$P" ask "ipc://run/$1" "$2" "${3:-5000}"; }
take() { "$P" take "ipc://run/to-$1" "w-$1" "$2" "$3" 2>/dev/null; }
takes() { "$P" take "ipc://run/to-$1" "w-$1" "${3:-256}" "=$2" 2>/dev/null; }
spooled() { route -T -d spool --from 1 --once; }

cursor() {
	tr -d '\0' < "spool/cursor/$1" | sed -n 's/^{"turn":\([0-9]*\),.*"'"$2"'":\([0-9]*\).*/\1 \2/p' | sort -n | tail -n 1 | cut -d ' ' -f 2
}

lanes() { sed -E 's/^.*"tenant":"([^"]*)","partitionkey":"([^"]*)".*$/\1 \2 &/' "$@" | LC_ALL=C sort -s -k 1,2; }

has() { [ "$(cursor "$1" "$2")" = "$3" ]; }

# Its output goes to an endpoint that answers nothing.
stuck() {
	daemon_start "hold-$1" "$P" server "ipc://hold-$1" hold
	PROBE_CONNS=1 daemon_run "stuck-$1" "$P" work "ipc://run/to-$1" "ipc://hold-$1" upper
	wait_for "hold-$1.out" '^request'
}
unstick() {
	daemon_signal "stuck-$1" KILL
	daemon_wait "stuck-$1"
	daemon_stop "hold-$1"
}
