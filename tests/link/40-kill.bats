# Peers and hubs that are killed.
load probes

@test "a hub killed between batch and acknowledgement gets the batch again from the waiting putter" {
	serve s ipc://in hold
	events 1 10 > lines
	"$P" put ipc://in < lines > put.out 2> put.err 3>&- & putter=$!
	wait_for s.out '10 lines'
	daemon_kill s
	serve s ipc://in lines
	wait "$putter"
	[ "$(cat put.out)" = "acked 10 refused 0" ]
	grep '^{' s.out | cmp - lines
	grep -q 'connected' put.err
}

@test "the same over tcp" {
	serve s tcp://127.0.0.1:0 hold
	events 1 10 > lines
	"$P" put "$URL" < lines > put.out 2> put.err 3>&- & putter=$!
	wait_for s.out '10 lines'
	daemon_kill s
	serve s "$URL" lines
	wait "$putter"
	grep '^{' s.out | cmp - lines
}

@test "a hub that is not there yet is no news for a second, then it is, once" {
	events 1 10 > lines
	from=${EPOCHREALTIME/./}
	"$P" put ipc://in < lines > put.out 2> put.err 3>&- & putter=$!
	wait_for put.err 'nobody listens there'
	[ $((${EPOCHREALTIME/./} - from)) -ge 1000000 ]
	serve s ipc://in lines
	wait "$putter"
	[ "$(grep -c 'nobody listens' put.err)" -eq 1 ]
	[ "$(grep -c 'connected' put.err)" -eq 1 ]
	[ "$(wc -l < put.err)" -eq 2 ]
}

@test "a stage that is told to stop says nothing of a hub that goes at the same time; one that is not, does" {
	for name in told untold; do
		daemon_start hub "$P" deal "ipc://to-$name" /dev/null 10
		daemon_start $name "$P" work "ipc://to-$name" null://
		# Both pieces of news wait for it when it goes on.
		daemon_signal $name STOP
		[ $name = untold ] || daemon_signal $name TERM
		daemon_kill hub
		daemon_signal $name CONT
	done
	daemon_wait told
	[ "$status" -eq 0 ]
	[ ! -s told.err ]
	wait_for untold.err 'warning: .*trying again'
}

@test "a hub that is killed twenty times in the middle of a stream misses no line" {
	events 1 5000 > lines
	: > all
	"$P" put ipc://in 10 < lines > put.out 2> put.err 3>&- & putter=$!
	for i in {1..20}; do
		# answers 10 batches, dies with the 11th
		serve s ipc://in lines lines lines lines lines lines lines lines lines lines die
		DAEMON_KILLED=yes
		daemon_wait s
		cat s.out >> all
	done
	serve s ipc://in lines
	wait "$putter"
	cat s.out >> all
	[ "$(grep -c acked put.out)" -eq 500 ]
	grep '^{' all | sort -u -t'"' -k8,8 > got
	sort -u -t'"' -k8,8 lines | cmp - got
	# No line comes before one that was put before it.
	grep '^{' all | awk -F'"' '!seen[$8]++' | cmp - lines
}

@test "a worker killed with a batch: another gets it" {
	seq 1 100 > all
	daemon_start hub "$P" deal ipc://to all 10
	daemon_run r "$R" talk ipc://to hello 'req:{"take":10,"as":"r"}' reply hold
	wait_for r.out holding
	daemon_kill r
	wait_for hub.out '^lost b1$'
	run -0 --separate-stderr "$P" take ipc://to w 10 10
	[ "$(sort -n <<<"$output")" = "$(cat all)" ]
	wait_for hub.out '^all done$'
}

@test "a hub killed while a worker works: the outcome is delivered to the next one" {
	serve hub ipc://to $'text:{"batch":"b7","n":1}\nline\n' die
	daemon_run w "$P" take ipc://to w-1 1
	DAEMON_KILLED=yes
	daemon_wait hub
	daemon_start hub "$P" newest ipc://to
	wait_for hub.out '^request {"as":"w-1","done":"b7","take":1}$'
	daemon_stop w
}

@test "a thousand peers killed at every stage leave no descriptor, and the server serves on" {
	serve s ipc://in hold
	daemon_start t "$P" newest ipc://held
	for url in ipc://in ipc://held; do
		name=s; [ "$url" = ipc://in ] || name=t
		before=$(files_open "$name")
		"$R" kill "$url" "${KILLS:-500}"
		same() { [ "$(files_open "$name")" -eq "$before" ]; }
		wait_until 20 same
	done
	[ "$(rss_kib s)" -lt 30000 ] || [[ "$BIN" == *asan* ]]
	daemon_stop s
	serve s ipc://in ack
	"$R" kill ipc://in "${KILLS:-500}"
	run -0 "$P" put ipc://in <<<line
	[ "$output" = "acked 1 refused 0" ]
}

@test "TERM while a putter waits leaves no socket file and no lock" {
	serve s ipc://in hold
	"$P" put ipc://in <<<line >put.out 2>&1 3>&- & putter=$!
	wait_for s.out '^request'
	daemon_stop s
	[ ! -e in ]
	[ ! -e in.lock ]
	kill -TERM "$putter"
	wait "$putter"
}

@test "TERM with a batch that cannot be reported, because hub and next hop are gone: it ends, and says so" {
	DAEMON_KILLED=yes
	events 1 10 > lines
	daemon_start hub "$P" deal ipc://to lines
	serve next ipc://next hold
	daemon_start w "$P" work ipc://to ipc://next upper
	wait_for next.out '^request'
	daemon_kill hub
	daemon_kill next
	daemon_signal w TERM
	daemon_wait w
	[ "$status" -eq 1 ]
	grep -q 'the other side is gone' w.err
}
