# A lab in a test.
#
#   load ../lib/daemon; load lab
#   lab_start [OPTIONS]     starts it; its URL in $LAB, its folder is $T/lab
#   cases FILE NAME...      runs the functions NAME of tests/lab/FILE.py against it, in order
lab_start() {
	export PYTHONDONTWRITEBYTECODE=1
	daemon_start lab "$ROOT/tests/peers/lab/lab.py" -d "$T/lab" "$@"
	LAB=http://127.0.0.1:$(<"$T/lab/port")
	export LAB
}

cases() {
	local file=$1
	shift
	timeout -k 5 90 python3 "$ROOT/tests/lab/$file.py" "$LAB" "$@"
}

# What the lab itself did wrong, it says on stderr.
teardown() {
	local bad=0
	[ ! -s "$T/lab.err" ] || { cat "$T/lab.err" >&2; bad=1; }
	daemons_end && return "$bad"
}
