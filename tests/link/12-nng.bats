# libnng's programs at the other end: nngcat puts, takes, and is a hub; over every transport both know.
load probes

# nng prints a received message with --raw as it is.
ask_nng() { nngcat --req --dial "$1" --data "$2" --raw --recv-timeout "${PATIENCE:-20}" "${@:3}"; }

@test "nngcat --req puts a batch" {
	serve s ipc://in lines
	run -0 ask_nng "ipc://$T/in" $'one\ntwo\n'
	[ "$output" = '{"ack":2}' ]
	grep -A1 '^one$' s.out | grep -x two
}

@test "nngcat --req takes a batch" {
	seq 1 10 > all
	daemon_start hub "$P" deal ipc://to all
	run -0 ask_nng "ipc://$T/to" '{"take":3,"as":"me"}'
	[ "$output" = '{"batch":"b1","n":3,"seq":[1000,1001,1002]}'$'\n'$'1\n2\n3' ]
	# It went without an outcome: another one gets the batch.
	wait_for hub.out '^lost b1$'
	run -0 ask_nng "ipc://$T/to" '{"take":5}'
	[ "${lines[0]}" = '{"batch":"b1","n":3,"seq":[1000,1001,1002]}' ]
}

@test "nngcat --rep is a hub for our putter" {
	nngcat --rep --listen "ipc://$T/hub" --data '{"ack":2}' --raw --count 2 > got & nng=$!
	wait_socket hub
	run -0 "$P" put ipc://hub 2 <<<$'a\nb\nc\nd'
	[ "$output" = $'acked 2 refused 0\nacked 2 refused 0' ]
	kill "$nng" 2>/dev/null || true
	wait "$nng" || true
	rm -f hub
	[ "$(cat got)" = $'a\nb\nc\nd' ]
}

@test "nngcat --rep is a hub for our worker" {
	nngcat --rep --listen "ipc://$T/hub" --file <(printf '{"batch":"b","n":1}\nline\n') --raw --count 9 > got & nng=$!
	wait_socket hub
	run -0 --separate-stderr "$P" take ipc://hub w 1 2
	[ "$output" = $'line\nline' ]
	kill "$nng" 2>/dev/null || true
	wait "$nng" || true
	rm -f hub
	grep -q '"done":"b"' got
}

@test "over tcp, both ways" {
	serve s tcp://127.0.0.1:0 ack
	run -0 ask_nng "$URL" $'one\n'
	[ "$output" = '{"ack":1}' ]
	port=${URL##*:}
	daemon_stop s
	nngcat --rep --listen "tcp://127.0.0.1:$port" --data '{"ack":1}' --raw > got & nng=$!
	run -0 --separate-stderr "$P" put "tcp://127.0.0.1:$port" <<<line
	[ "$output" = 'acked 1 refused 0' ]
	kill "$nng"; wait "$nng" || true
}

@test "over an abstract socket" {
	serve s "abstract://penstock-test-$$" ack
	run -0 ask_nng "abstract://penstock-test-$$" $'one\n'
	[ "$output" = '{"ack":1}' ]
}

@test "over tls, both ways, certificates checked" {
	certificates
	export TLS_CERT=cert.pem TLS_KEY=key.pem
	# nng tries the first address of a name only: on some machines that is ::1.
	serve s tls+tcp://localhost:0 ack
	port=${URL##*:}
	run -0 ask_nng "tls+tcp://localhost:$port" $'one\n' --cacert ca.pem
	[ "$output" = '{"ack":1}' ]
	daemon_stop s
	cat cert.pem key.pem > both.pem
	nngcat --rep --listen "tls+tcp://127.0.0.1:$port" --cert both.pem --data '{"ack":1}' --raw > got & nng=$!
	run -0 --separate-stderr env TLS_CA=ca.pem "$P" put "tls+tcp://localhost:$port" <<<line
	[ "$output" = 'acked 1 refused 0' ]
	kill "$nng"; wait "$nng" || true
}

@test "a batch of 4 MiB goes through nngcat both ways" {
	events 1 1000 > part
	while [ "$(stat -c %s part)" -lt 4000000 ]; do cat part part | head -c 4100000 > more; mv more part; done
	head -n 4096 part > big
	serve s ipc://in echo
	nngcat --req --dial "ipc://$T/in" --file big --raw --recv-timeout 20 --recv-maxsz 0 > back ||
		nngcat --req --dial "ipc://$T/in" --file big --raw --recv-timeout 20 > back
	cmp big back
}
