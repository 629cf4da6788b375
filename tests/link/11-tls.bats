# tls+tcp between our own ends.
load probes

tls_server() {
	certificates
	echo x > q
	TLS_CERT=cert.pem TLS_KEY=key.pem serve s tls+tcp://127.0.0.1:0 "$@"
	PORT=${URL##*:}
}

# A dialler that never gets through: waits until it says why.
refused_because() {
	daemon_run c "$P" askfile "$1" q 60000
	wait_for c.err "$2"
	daemon_kill c
}

@test "a put over TLS, by name and by address" {
	tls_server lines
	events 1 1000 > want
	export TLS_CA=ca.pem
	run -0 "$P" put "tls+tcp://localhost:$PORT" < want
	grep '^{' s.out | cmp - want
	run -0 "$P" put "tls+tcp://127.0.0.1:$PORT" <<<line
}

@test "a megabyte answer over TLS comes whole" {
	tls_server echo
	head -c 3000000 /dev/zero | tr '\0' x > big
	run -0 env TLS_CA=ca.pem "$P" askfile "tls+tcp://localhost:$PORT" big
	[ "${#output}" -eq 3000000 ]
	run -0 env TLS_CA=ca.pem "$P" askfile "tls+tcp://127.0.0.1:$PORT" big
}

@test "a listener that nobody vouches for is not trusted" {
	tls_server ack
	refused_because "tls+tcp://localhost:$PORT" 'certificate: '
	wait_for s.err 'TLS: .*connection closed'
}

@test "a certificate for another name is refused" {
	certificates
	echo x > q
	TLS_CERT=cert.pem TLS_KEY=key.pem serve s "tls+tcp://*:0" ack
	TLS_CA=ca.pem refused_because "tls+tcp://127.0.0.2:${URL##*:}" mismatch
}

@test "with an authority the listener wants certificates of those who dial" {
	certificates
	echo x > q
	TLS_CA=ca.pem TLS_CERT=cert.pem TLS_KEY=key.pem serve s tls+tcp://127.0.0.1:0 ack
	TLS_CA=ca.pem refused_because "$URL" 'closed by the other side|alert|required'
	wait_for s.err 'peer did not return a certificate'
	run -0 --separate-stderr env TLS_CA=ca.pem TLS_CERT=cert.pem TLS_KEY=key.pem "$P" put "$URL" <<<line
	[ "$output" = 'acked 1 refused 0' ]
}

@test "files that are missing or wrong are named" {
	certificates
	echo x > q
	run -1 "$P" server tls+tcp://127.0.0.1:0
	[[ "$output" == *"a listener needs a certificate and a key"* ]]
	run -1 env TLS_CERT=cert.pem TLS_KEY=none.pem "$P" server tls+tcp://127.0.0.1:0
	[[ "$output" == *"none.pem: no private key"* ]]
	run -1 env TLS_CERT=key.pem TLS_KEY=key.pem "$P" server tls+tcp://127.0.0.1:0
	[[ "$output" == *"key.pem: no certificate"* ]]
	run -1 env TLS_CERT=cert.pem TLS_KEY=ca.key "$P" server tls+tcp://127.0.0.1:0
	[[ "$output" == *"ca.key"* ]]
	run -1 env TLS_CA=none.pem "$P" askfile tls+tcp://127.0.0.1:1 q 100
	[[ "$output" == *"none.pem: no certificates to trust"* ]]
}

@test "plain text at a TLS listener costs that connection only" {
	tls_server ack
	run -0 "$R" talk "tcp://127.0.0.1:$PORT" 0053500000300000 eof
	wait_for s.err 'TLS: .*connection closed'
	run -0 env TLS_CA=ca.pem "$P" put "tls+tcp://localhost:$PORT" <<<line
}

@test "TLS 1.1 is refused" {
	tls_server ack
	run openssl s_client -connect "127.0.0.1:$PORT" -tls1_1 -cipher DEFAULT:@SECLEVEL=0 </dev/null
	[ "$status" -ne 0 ]
	run -0 openssl s_client -connect "127.0.0.1:$PORT" -tls1_2 -CAfile ca.pem </dev/null
}
