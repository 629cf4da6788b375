# put, take and questions between our own two ends.
load probes

@test "a put is acknowledged and its lines arrive unchanged and in order" {
	serve s ipc://in lines
	events 1 1000 > want
	run -0 "$P" put ipc://in 256 < want
	[ "$output" = "acked 256 refused 0"$'\n'"acked 256 refused 0"$'\n'"acked 256 refused 0"$'\n'"acked 232 refused 0" ]
	grep '^{' s.out | cmp - want
}

@test "refusals come back with number, reason and retry" {
	serve s ipc://in refuse:2 retry:1 ack
	run -0 "$P" put ipc://in 2 <<<$'a\nb\nc\nd\ne'
	[ "${lines[0]}" = "acked 1 refused 1 [2 no good]" ]
	[ "${lines[1]}" = "acked 1 refused 1 [1 no good, retry]" ]
	[ "${lines[2]}" = "acked 1 refused 0" ]
}

@test "several connections put at the same time" {
	serve s ipc://in ack
	events 1 2000 > lines
	run -0 env PROBE_CONNS=4 "$P" put ipc://in 10 < lines
	[ "${#lines[@]}" -eq 200 ]
}

@test "taken lines arrive in order with their numbers, and the last outcome is delivered before the end" {
	seq 1 1000 > all
	daemon_start hub "$P" deal ipc://to all
	"$P" take ipc://to w-1 100 10 > got 2> err
	cmp got all
	[ "$(grep -c '^seq 1000 to 1099$' err)" -eq 10 ]
	wait_for hub.out '^all done$'
	[ "$(grep -c '^done .* by w-1, 0 refused$' hub.out)" -eq 10 ]
}

@test "two workers share the work" {
	seq 1 5000 > all
	daemon_start hub "$P" deal ipc://to all 50
	daemon_start w1 "$P" take ipc://to w1 50
	daemon_start w2 "$P" take ipc://to w2 50
	wait_for hub.out '^all done$'
	daemon_stop w1
	daemon_stop w2
	sort -n w1.out w2.out | cmp - all
}

@test "a worker with two connections takes two batches ahead" {
	seq 1 100 > all
	daemon_start hub "$P" deal ipc://to all 10
	PROBE_CONNS=2 daemon_run w "$P" take ipc://to w 10
	wait_for hub.out '^all done$'
	daemon_stop w
	sort -n w.out | cmp - all
}

@test "a question is answered" {
	serve s ipc://query echo
	run -0 "$P" ask ipc://query 'what is it?'
	[ "$output" = "what is it?" ]
}

@test "nobody there, and somebody who hangs, are told apart" {
	run -1 "$P" ask ipc://nobody x 100
	[[ "$output" == *"ipc://nobody: no answer within 100 ms: nobody listens there (No such file"* ]]
	serve s ipc://query hold
	run -1 "$P" ask ipc://query x 500
	[[ "$output" == *"busy or hangs"* ]]
	wait_for s.out '^gone$'
}

@test "a held request is dropped for a newer one of the same connection" {
	daemon_start s "$P" newest ipc://to
	daemon_run r "$R" talk ipc://to hello req:one req:two reply hold
	wait_for s.out '^request two$'
	daemon_signal s USR1
	wait_for r.out '^lateholding$'
	daemon_kill r
}

@test "the end of a peer is seen while its request is held" {
	daemon_start s "$P" newest ipc://to
	daemon_run r "$R" talk ipc://to hello req:one hold
	wait_for s.out '^request one$'
	daemon_kill r
	wait_for s.out '^gone while waiting$'
}

@test "the same over tcp, where only the end of its sending side tells" {
	daemon_start s "$P" newest tcp://127.0.0.1:0
	url=$(sed -n 's/^ready //p' s.out)
	daemon_run r "$R" talk "$url" hello req:one hold
	wait_for s.out '^request one$'
	daemon_kill r
	wait_for s.out '^gone while waiting$'
}

@test "a path longer than a socket address" {
	long=$(printf 'x%.0s' {1..120})
	mkdir -p "$long/$long"
	serve s "ipc://$long/$long/in" ack
	run -0 "$P" put "ipc://$long/$long/in" <<<line
	[ "$output" = "acked 1 refused 0" ]
	daemon_stop s
	[ -z "$(ls "$long/$long")" ]
}

@test "the socket file is nobody else's, and the umask may open it to a group" {
	serve s ipc://in
	[ "$(stat -c %a in)" = 640 ]
	(umask 007; daemon_start t "$P" server ipc://group; stat -c %a group; daemon_stop t) | grep -x 660
}

@test "an address that is in use says who uses it; a stale file is replaced" {
	serve s ipc://in
	run -1 "$P" server ipc://in
	[[ "$output" == *"ipc://in: address in use: process $(daemon_pid s) listens there"* ]]
	daemon_kill s
	[ -S in ]
	serve t ipc://in
	run -0 "$P" put ipc://in <<<line
}

@test "a foreign listener is not pushed aside, nor is a file" {
	nngcat --rep --listen "ipc://$T/in" --data x --count 1 & nng=$!
	# The name is there a little before somebody listens.
	listens() { grep -q " 00010000 .* $T/in\$" /proc/net/unix; }
	wait_until 5 listens
	run -1 "$P" server ipc://in
	[[ "$output" == *"another program listens there"* ]]
	kill "$nng"; wait "$nng" || true
	rm -f in
	echo precious > file
	run -1 "$P" server ipc://file
	[[ "$output" == *"is no socket"* ]]
	[ "$(cat file)" = precious ]
}

@test "tcp: a port in use, names, IPv6" {
	serve s tcp://127.0.0.1:0 echo
	run -1 "$P" server "$URL"
	[[ "$output" == *"address in use"* ]]
	run -0 "$P" ask "tcp://localhost:${URL##*:}" hello
	[ "$output" = hello ]
	if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
		serve t 'tcp://[::1]:0' echo
		[[ "$URL" == tcp://\[::1\]:* ]]
		run -0 "$P" ask "$URL" hello
		[ "$output" = hello ]
	fi
	serve u 'tcp://*:0' echo
	run -0 "$P" ask "tcp://127.0.0.1:${URL##*:}" hello
	[ "$output" = hello ]
}

@test "every stage can say which set of workers it belongs to" {
	for p in store analyze respond; do "$p" --help | grep -q -e '--set NAME'; done
}
