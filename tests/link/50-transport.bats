# Every transport keeps the contract of transport.h: each case here runs over every scheme there is.
load probes

# A URL to listen on for each scheme; a scheme that is not here fails every test.
listen_url() {
	case $1 in
	ipc) echo "ipc://conformance" ;;
	abstract) echo "abstract://penstock-conformance-$BASHPID-$RANDOM" ;;
	tcp) echo "tcp://127.0.0.1:0" ;;
	tls+tcp) echo "tls+tcp://127.0.0.1:0" ;;
	-) echo - ;;
	null) echo null:// ;;
	*) echo "no URL for the scheme $1 in 50-transport.bats" >&2; return 1 ;;
	esac
}

schemes() { "$P" transports | tr ' ' '\n'; }
# Those that carry messages; the others carry lines in one direction.
message_schemes() { schemes | grep -vxe - -e null; }

prepare() {
	[ "$1" != tls+tcp ] || certificates
	export TLS_CA=ca.pem TLS_CERT=cert.pem TLS_KEY=key.pem
	[ "$1" = tls+tcp ] || unset TLS_CA TLS_CERT TLS_KEY
	# With an authority a listener wants client certificates, and the diallers here have one.
	url=$(listen_url "$1")
}

@test "there is a URL here for every scheme" {
	for s in $(schemes); do listen_url "$s"; done
	[ "$(schemes | wc -l)" -ge 6 ]
}

@test "put: lines arrive whole, unchanged, in order" {
	events 1 2000 > lines
	for s in $(message_schemes); do
		prepare "$s"
		serve "s$s" "$url" lines
		"$P" put "$URL" 100 < lines > put.out
		[ "$(grep -c '^acked 100 refused 0$' put.out)" -eq 20 ]
		grep '^{' "s$s.out" | cmp - lines
		daemon_stop "s$s"
	done
	"$P" put - 100 < lines 2>/dev/null | cmp - lines
	"$P" put null:// 100 < lines > put.out
	[ "$(grep -c '^acked 100 refused 0$' put.out)" -eq 20 ]
}

@test "take: lines arrive whole, unchanged, in order" {
	events 1 2000 > lines
	for s in $(message_schemes); do
		prepare "$s"
		daemon_start "s$s" "$P" deal "$url" lines 100
		URL=$(sed -n 's/^ready //p' "s$s.out")
		"$P" take "$URL" w 100 20 2>/dev/null | cmp - lines
		daemon_stop "s$s"
	done
	"$P" take - w 100 < lines | cmp - lines
	daemon_start t "$P" work null:// null://
	daemon_stop t
}

@test "bytes of every kind: NUL, CR, 0xff" {
	printf 'a\0b\n\r\n\377\376\n\n' > odd
	for s in $(message_schemes); do
		prepare "$s"
		daemon_start "s$s" "$P" deal "$url" odd
		URL=$(sed -n 's/^ready //p' "s$s.out")
		"$P" take "$URL" w 100 1 2>/dev/null | cmp - odd
		daemon_stop "s$s"
	done
	"$P" take - w 100 < odd | cmp - odd
	"$P" put - < odd 2>/dev/null | cmp - odd
}

@test "a batch of five megabytes, and the answer as large" {
	head -c 1048575 /dev/zero | tr '\0' x > one
	echo >> one
	cat one one one one one > five
	for s in $(message_schemes); do
		prepare "$s"
		serve "s$s" "$url" echo
		"$P" askfile "$URL" five | cmp - five
		daemon_stop "s$s"
	done
	"$P" put - 5 < five 2>/dev/null | cmp - five
	"$P" take - w 5 < five | cmp - five
}

@test "an answer in a hundred parts" {
	head -c 1000000 /dev/urandom > bytes
	echo -n few > few
	for s in $(message_schemes); do
		prepare "$s"
		serve "s$s" "$url" parts
		"$P" askfile "$URL" bytes | cmp - bytes
		"$P" askfile "$URL" few | cmp - few
		daemon_stop "s$s"
	done
}

@test "a listener that goes and comes back is found again, and what was not answered is asked again" {
	for s in $(message_schemes); do
		prepare "$s"
		serve "s$s" "$url" hold
		again=$URL
		"$P" put "$again" <<<line > "put$s" 2>/dev/null 3>&- & putter=$!
		wait_for "s$s.out" '^request 5 bytes'
		daemon_stop "s$s"
		serve "s$s" "$again" ack
		wait "$putter"
		[ "$(cat "put$s")" = "acked 1 refused 0" ]
		daemon_stop "s$s"
	done
}

@test "back pressure: nothing is read while the listener is paused" {
	for s in $(message_schemes); do
		prepare "$s"
		daemon_start "s$s" "$P" paused "$url" echo
		URL=$(sed -n 's/^ready //p' "s$s.out")
		echo x > x
		run -1 "$P" askfile "$URL" x 300
		not grep '^request' "s$s.out"
		daemon_signal "s$s" USR1
		run -0 --separate-stderr "$P" askfile "$URL" x
		[ "$output" = x ]
		daemon_stop "s$s"
	done
}

@test "a peer that is dropped comes back" {
	for s in $(message_schemes); do
		prepare "$s"
		serve "s$s" "$url" drop ack
		run -0 --separate-stderr "$P" put "$URL" <<<line
		[ "$output" = "acked 1 refused 0" ]
		grep -q '^gone$' "s$s.out"
		daemon_stop "s$s"
	done
}

@test "only one listener for an address" {
	for s in $(message_schemes); do
		prepare "$s"
		serve "s$s" "$url"
		run -1 "$P" server "$URL"
		[[ "$output" == *"address in use"* ]]
		daemon_stop "s$s"
	done
}
