# Loss of power, and kills between any two steps: what was acknowledged is there, each line once, and is delivered.
load hub
load disk

@test "loss of power: what was acknowledged is delivered, to a destination that never saved anything too" {
	echo 'all -> store, other' > rules
	power_hub --segment 4k
	events 1 40 | put 5 > /dev/null
	takes store 20 10 > /dev/null
	wait_until 5 has store delivered 20
	power_loss
	hub
	spooled | cmp - <(events 1 40)
	takes other 40 | cmp - <(events 1 40)
	daemon_run w "$P" take ipc://run/to-store w 256
	wait_for w.out '"id":"e-40"'
	daemon_stop w
	grep '^{' w.out | tail -n 20 | cmp - <(events 21 40)
}

@test "a repeat of a line that was written and not synced before a kill is acknowledged when it is synced" {
	power_hub
	events 1 3 | put
	: > slow-sync
	events 4 6 | "$P" put ipc://run/in > first.out 2> /dev/null 3>&- &
	putter=$!
	wait_until 5 eval 'grep -q e-6 spool/*.ndjson'
	kill -9 $putter
	wait $putter || true
	daemon_kill hub
	rm slow-sync
	power_hub
	run -0 put < <(events 4 6)
	[ "$output" = "acked 3 refused 0" ]
	power_loss
	hub
	take store 256 1 | cmp - <(events 1 6)
}

@test "lines that were refused and come back with a loss of power are no lines" {
	power_hub
	events 1 5 | put
	: > late-sync
	run -0 put < <(events 6 8)
	[[ "$output" == "acked 0 refused 3"* ]]
	rm late-sync
	wait_until 10 eval 'events 11 12 | put | grep -q "acked 2"'
	power_loss
	hub
	spooled | cmp - <(events 1 5; events 11 12)
	take store 256 1 | cmp - <(events 1 5; events 11 12)
	# They are not known as seen either.
	run -0 put < <(events 6 8)
	take store 256 1 | cmp - <(events 6 8)
}

# N MODE: runs a putter, a worker and a hub (-s MODE) that is killed at the Nth call that changes a file; false: it was not.
run_to_kill() {
	rm -rf spool run outcomes taken hub.err
	mkdir -p run
	power_disk
	"$P" put ipc://run/in 5 < want > outcomes 2> /dev/null 3>&- &
	putter=$!
	"$P" take ipc://run/to-store w 7 > taken 2> /dev/null 3>&- &
	taker=$!
	KILL_AT=$1 TORTURE=$T/power LD_PRELOAD=$T/shim.so route -L text -R run -d spool -r rules --segment 4k -s "$2" --sync-interval 10ms 2> hub.err 3>&- &
	DAEMON_PID[hub]=$! DAEMON_KILLED=yes
	wait_until 20 eval '_pid_gone '$!' || { [ "$(wc -l < taken)" -ge 60 ] && [ "$(wc -l < outcomes)" -ge 12 ]; }' 2> waited || stands_still "$1"
	_pid_gone "${DAEMON_PID[hub]}" || last=1
	kill -9 $putter $taker
	wait $putter $taker 2> /dev/null || true
	kill -9 "${DAEMON_PID[hub]}" 2> /dev/null || true
	wait "${DAEMON_PID[hub]}" 2> /dev/null || true
	unset "DAEMON_PID[hub]"
	acked=$(sed -n 's/^acked \([0-9]*\) .*/\1/p' outcomes | awk '{ n += $1 } END { print n + 0 }')
	acked=${acked:-0}
	[ "$last" = 0 ]
}

# STEP: it was not killed, and not all is through: that is no end of the steps.
stands_still() {
	echo "step $1: stands still with $(wc -l < outcomes) batches acknowledged, $(wc -l < taken) lines taken"
	_where "${DAEMON_PID[hub]}"
	tail hub.err spool/cursor/store
	still=1
}

# What is there now: a prefix of what was put, the acknowledged lines at least; all of it can be put again and is delivered in order.
check_after_kill() {
	hub --segment 4k
	spooled > kept
	[ "$(wc -l < kept)" -ge "$acked" ] && head -n "$(wc -l < kept)" want | cmp - kept || { echo "step $1: acked $acked, kept $(wc -l < kept)"; return 1; }
	put 60 < want > /dev/null
	spooled | cmp - want || { echo "step $1"; return 1; }
	: > again	# that of the step before must not be taken for it
	"$P" take ipc://run/to-store w 7 >> again 2> /dev/null 3>&- &
	taker=$!
	wait_until 20 all_delivered || true
	kill -9 $taker
	wait $taker 2> /dev/null || true
	delivered | cmp - want || { echo "step $1: not all was delivered"; cat hub.err; tail spool/cursor/store; return 1; }
	daemon_stop hub
}
# Half a line is what was being printed when it was killed.
delivered() { grep -h '}}$' taken again | awk '!seen[$0]++'; }
all_delivered() { [ "$(delivered | wc -l)" -ge 60 ]; }

@test "a kill at every step, with and without loss of power" {
	[ -z "${no_shim:-}" ] || skip "$no_shim"
	echo 'all -> store' > rules
	events 1 60 1 > want
	power_hub
	daemon_stop hub
	last=0
	for ((n = 1; last == 0; n += 1 + n / 12)); do
		# A kill alone takes nothing that was acknowledged, whatever -s says.
		case $((n % 4)) in 1) mode=interval ;; 3) mode=never ;; *) mode=always ;; esac
		run_to_kill "$n" "$mode" || true
		[ -z "${still:-}" ]
		[ "$mode" != always ] || power_loss
		check_after_kill "$n"
	done
	echo "steps: $n"
	[ "$n" -gt 30 ]
}

# NAME: numbers of all lines of the spool, with the ids of their events
numbered() {
	cat spool/*.ndjson | awk '
		/^{"_commit"/ { split($0, a, /[:,]/); seq = a[3]; for (i = 0; i < n; i++) printf "%.0f %s\n", seq + i, id[i]; n = 0; next }
		{ match($0, /"id":"[^"]*"/); id[n++] = substr($0, RSTART + 6, RLENGTH - 7) }' > "$1"
}

@test "-s interval and never: a number is given to one line only, also after a loss of power" {
	for mode in interval never; do
		rm -rf spool run power given got
		: > given
		for round in 1 2 3; do
			power_disk
			power_hub -s $mode --sync-interval 1h
			[ -e spool/unsynced ]
			events $((round * 100)) $((round * 100 + 30)) 1 | put 5 > /dev/null
			take store 256 1 > got
			numbered now
			cat now >> given
			[ "$(wc -l < got)" -gt 0 ]
			cp given given.safe
			power_loss
			[ -e given ] || cp given.safe given
			rm -rf power
		done
		# What was delivered with a number is the only line that ever had it.
		sort -u given | awk '$1 in seen { exit 1 } { seen[$1] }' || { sort -u given | head; echo "$mode: a number was used again"; return 1; }
		[ "$(sort -u given | wc -l)" -ge 93 ]
	done
}

@test "an unclean end of -s interval: numbers are left out; with another start of the machine that is said; a clean end leaves no mark" {
	hub -s interval
	events 1 10 | put > /dev/null
	last=$(spooled | wc -l)
	daemon_kill hub
	[ -e spool/unsynced ]
	hub -s interval
	events 11 20 | put > /dev/null
	[ "$(spooled | wc -l)" -eq 20 ]
	[ -z "$(spooled | grep spool.gap)" ]
	a=$(basename "$(ls spool/*.ndjson | head -n 1)" .ndjson)
	b=$(basename "$(ls spool/*.ndjson | tail -n 1)" .ndjson)
	[ $((10#$b - 10#$a)) -gt 134000000 ]
	# Repeats are known all the same.
	run -0 put < <(events 1 20)
	[ "$output" = "acked 20 refused 0" ]
	[ "$(spooled | wc -l)" -eq 20 ]
	daemon_kill hub
	echo 00000000-0000-0000-0000-000000000000 > spool/unsynced
	hub
	wait_until 5 eval 'spooled | grep -q "spool.gap.*the machine stopped while lines were not on disk"'
	daemon_stop hub
	[ ! -e spool/unsynced ]
	n=$(ls spool/*.ndjson | wc -l)
	hub
	events 21 30 | put > /dev/null
	[ "$(ls spool/*.ndjson | wc -l)" -eq "$n" ]
	[ "$(spooled | grep -c spool.gap)" -eq 1 ]
	route ledger -d spool -R run
}
