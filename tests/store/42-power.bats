# A disk that fails a sync and forgets what it was for, then a kill, then a loss of power: what was acknowledged is there, and the databases are whole.
load store
load ../route/disk

# The store on the simulated disk.
power_store() {
	TORTURE=$T/power LD_PRELOAD=$T/shim.so store -L text -i "ipc://$T/hub" -d h -q "ipc://$T/q" 2>store.err >store.out 3>&- &
	DAEMON_PID[store]=$! DAEMON_KILLED=yes
}
arm() { ./disk-tool arm power store "$@"; }
lose() { ./disk-tool lose power "$@" >lost; }

# 200 lines that are in the databases.
begin() {
	[ -z "${no_shim:-}" ] || skip "$no_shim"
	shim
	rm -rf h
	store -d h <first
	power_disk
}
# It was killed, or is through with all, and with opening again what failed.
over() { _pid_gone "${DAEMON_PID[store]}" || { grep -q '^all done' hub.out && answers t0 && answers t1; }; }
answers() { "$P" ask "ipc://$T/q" '{"q":"last","tenant":"'"$1"'","n":1}' 500 2>/dev/null | head -n 1 | grep -q '"n":1'; }
# Lines of FILE, given out 50 a batch, that were acknowledged.
acked() {
	local n
	for n in $(sed -n 's/^done b\([0-9]*\) .* 0 refused$/\1/p' hub.out); do
		sed -n "$((n * 50 - 49)),$((n * 50))p" "$1"
	done
}

# What is there is what was acknowledged, at least, and nothing else than was sent; all can be stored once more.
check() {
	store --check -d h >checked 2>&1 || { echo "$1"; cat checked; return 1; }
	export_all | sort >there
	[ -z "$(comm -13 there <(sort first need))" ] || { echo "$1: acknowledged, and not there:"; comm -13 there <(sort first need) | head -n 3; return 1; }
	[ -z "$(comm -23 there <(sort first more))" ]
	cat first more | store -d h
	export_all | sort | cmp - <(sort first more)
}

@test "a sync of the log fails; a kill at any step after it, and a loss of power" {
	events 1 200 10 2 >first
	events 201 500 10 2 >more
	last=0
	# The first four syncs are those of a new log's head and name, of each database. What comes before them is tests/torture's.
	for ((n = 84; last == 0; n += ${STEP:-7})); do
		begin
		arm fail_mode=2 kill_at="$n" part=$((n * 7919 % 65536)) good_syncs=$((4 + n % 2)) fail_syncs=1
		hub more 50
		power_store
		wait_until 20 over
		_pid_gone "${DAEMON_PID[store]}" || last=1
		kill -9 "${DAEMON_PID[store]}" 2>/dev/null || true
		wait "${DAEMON_PID[store]}" 2>/dev/null || true
		unset "DAEMON_PID[store]"
		daemon_stop hub
		acked more >need
		if [ $((n % 5)) = 0 ]; then lose; else lose "$n"; fi
		check "step $n"
	done
	echo "steps: $n"
	[ "$n" -gt 100 ]
}

@test "a sync of the log fails, the store is killed; what another one acknowledges is there after a loss of power" {
	events 1 200 10 2 >first
	events 201 500 10 2 >more
	begin
	arm fail_mode=2 good_syncs=4 fail_syncs=1000000
	hub more 50
	power_store
	wait_for store.err 'cannot be synced'
	daemon_kill store
	daemon_stop hub
	arm fail_syncs=0
	hub more 50
	power_store
	wait_for hub.out '^all done'
	daemon_kill store
	daemon_stop hub
	acked more >need
	sort need | cmp - <(sort more)
	lose
	check "after another one"
}
