load deliver

hook_up() {
	daemon_run hook python3 "$BATS_TEST_DIRNAME/hook.py" "$T/got"
	wait_for hook.out '^[0-9]+$'
	HOOK=http://127.0.0.1:$(<hook.out) A=$T/a
	mkdir -p a/default
	: >got
}
teardown() {
	[ -z "${DAEMON_PID[hook]:-}" ] || daemon_kill hook
	daemons_end
}
# account NAME PATH [LINE...]
account() {
	printf '%s\n' 'platform = webhook' "url = $HOOK$2" 'allow-private = yes' "${@:3}" >"a/default/$1.conf"
}

@test "the event itself is posted, signed, with its key" {
	hook_up
	printf sesame >a/default/hook.secret
	chmod 600 a/default/hook.secret
	account hook /ok 'secret-file = hook.secret'
	say 1 webhook x hi >in
	deliver -A a -b box.db <in | tail -n 1 | jq -e '.type == "message.sent" and .data.message_id == "h1"'
	[ "$(jq -r .body got)" = "$(<in)" ]
	mac=$(jq -rj .body got | openssl dgst -sha256 -hmac sesame -r | cut -d' ' -f1)
	jq -e --arg mac "sha256=$mac" '.fields["X-Hub-Signature-256"] == $mac and (.fields["Content-Type"] | startswith("application/cloudevents+json")) and
		(.fields["Idempotency-Key"] | test("^\"[0-9a-f]{32}\"$"))' got
}

@test "each answer has its consequence" {
	hook_up
	for path in ok 204 302 307 308 400 401 403 410 500 503 retry reset; do account "h-$path" "/$path"; done
	n=0
	for path in ok 204 302 307 308 400 403 410 500 503 retry reset 401; do say "$path" webhook "$path" x "\"account\":\"h-$path\""; done >in
	through <in | sort >out
	diff out - <<-'END'
		204 sent
		302 failed refused 302
		307 failed refused 307
		308 failed refused 308
		400 failed refused 400
		401 failed refused 401
		403 failed refused 403
		410 failed gone 410
		500 failed unknown 500
		503 failed unknown 503
		ok sent
		reset failed unknown
		retry sent
	END
	# No redirect was followed, and nothing was posted twice but what was refused for the moment
	[ "$(jq -r .path got | sort | uniq -d)" = /retry ]
}


@test "an address that is gone is not used again: not by a restart, not by a reload; a change of its file opens it" {
	hook_up
	account h /410
	account d /api/v10/webhooks/12/404
	account u /unknown
	account other /ok
	for i in 1 2 3; do for a in h d u; do say "$a$i" webhook x x "\"account\":\"$a\""; done; done >in
	say o webhook x x '"account":"other"' >>in
	through <in | sort | xargs -L1 | diff - <(printf '%s\n' 'd1 failed gone 404' 'd2 failed gone' 'd3 failed gone' 'h1 failed gone 410' 'h2 failed gone' \
		'h3 failed gone' 'o sent' 'u1 failed gone 10015' 'u2 failed gone' 'u3 failed gone')
	[ "$(jq -r .path got | sort | xargs)" = "/410 /api/v10/webhooks/12/404 /ok /unknown" ]
	jq -se '[.[] | select(.type == "message.failed" and (.data.error | test("a/default/[hdu].conf") | not))] == []' passed
	# Another process, told to read the same files again
	: >got
	mkfifo pipe
	deliver -A a -b box.db -L text <pipe >out 2>err &
	DAEMON_PID[d]=$!
	exec {IN}>pipe
	say h4 webhook x x '"account":"h"' >&$IN
	wait_for out '"h4.deliver".*"cause":"gone"'
	daemon_signal d HUP
	reread() { [ "$(grep -c '4 accounts are in force' err)" -eq 2 ]; }
	wait_until 10 reread
	say h5 webhook x x '"account":"h"' >&$IN
	wait_for out '"h5.deliver".*"cause":"gone"'
	[ ! -s got ]
	account h /ok
	daemon_signal d HUP
	wait_until 10 eval '[ "$(grep -c "4 accounts are in force" err)" -eq 3 ]'
	say h6 webhook x x '"account":"h"' >&$IN
	wait_for out '"h6.deliver".*message.sent'
	exec {IN}>&-
	daemon_wait d
	[ "$status" -eq 0 ]
	# Off and on again
	echo 'enabled = no' >>a/default/u.conf
	deliver -A a -b box.db </dev/null
	sed -i '/enabled/d' a/default/u.conf
	[ "$(say u4 webhook x x '"account":"u"' | through)" = "u4 failed gone 10015" ]
}

@test "404 of a receiver may be a deployment: what is for it waits, in order, and the address rests; nobody else does" {
	hook_up
	account h /absent-1
	account other /ok
	for i in 1 2 3; do say "$i" webhook x x '"account":"h"'; done >in
	say o webhook x x '"account":"other"' >>in
	[ "$(through <in | xargs -L1 | paste -sd,)" = "o sent,1 sent,2 sent,3 sent" ]
	account h /404
	for i in $(seq 30); do say "n$i" webhook "c$i" x '"account":"h"'; done >in
	: >got
	through -g 1s <in | cut -d' ' -f2- | sort | uniq -c | xargs | grep -x '30 failed late'
	# Those that were under way, no more
	[ "$(wc -l <got)" -lt 30 ]
	grep -q 'a/default/h.conf: HTTP status 404: nobody is there now: left alone' err
	jq -se '[.[] | select(.type == "message.failed" and (.data.error | endswith("HTTP status 404")))] | length > 0' passed
}

@test "send-unknown = again: the same key each time" {
	hook_up
	account hook /once-reset 'send-unknown = again'
	[ "$(say 1 webhook x hi | through)" = "1 sent" ]
	[ "$(wc -l <got)" -eq 2 ]
	[ "$(jq -r '.fields["Idempotency-Key"]' got | sort -u | wc -l)" -eq 1 ]
}

@test "a private address is refused, whatever its name, unless the account allows it" {
	hook_up
	account a /ok
	account b /ok
	account c /ok
	sed -i '/allow-private/d' a/default/{b,c}.conf
	sed -i 's/127.0.0.1/localhost/' a/default/c.conf
	local host n=0
	for host in 0.0.0.0 2130706433 0x7f.1 '[::1]' '[::ffff:127.0.0.1]' '[::]' '[fe80::1]' 169.254.169.254 10.1.2.3 \
		127.1 0177.0.0.1 017700000001 0x7f000001 '[::ffff:7f00:1]' '[64:ff9b::7f00:1]' 100.64.0.1 192.168.0.1 '[fd00::1]'; do
		printf '%s\n' 'platform = webhook' "url = http://$host:${HOOK##*:}/ok" >"a/default/d$((++n)).conf"
	done
	for i in a b c $(seq -f d%g "$n"); do say "$i" webhook x hi "\"account\":\"$i\""; done | through -p 1 | sort | diff - <(
		printf '%s\n' 'a sent' 'b failed private' 'c failed private'; seq -f 'd%g failed private' "$n" | sort)
	[ "$(wc -l <got)" -eq 1 ]
}

@test "an upstream in trouble is left alone, and holds up nobody else" {
	hook_up
	account good /ok
	account bad /ok
	# A port that nobody listens on
	sed -i 's|^url.*|url = http://127.0.0.1:1/|' a/default/bad.conf
	account worse /503 "send-unknown = again"
	sed -i 's|127.0.0.1|localhost|' a/default/worse.conf
	for i in $(seq 1 9); do say "worse$i" webhook "c$i" x '"account":"worse"'; done >in
	for i in $(seq 1 9); do say "bad$i" webhook "c$i" x '"account":"bad"'; done >>in
	for i in $(seq 1 30); do say "good$i" webhook "c$i" x '"account":"good"'; done >>in
	through -g 1s <in >out
	[ "$(grep -c '^good[0-9]* sent$' out)" -eq 30 ]
	[ "$(grep -c '^bad[0-9]* failed late$' out)" -eq 9 ]
	[ "$(grep -c '^worse[0-9]* failed unknown$' out)" -eq 9 ]
	[ "$(wc -l <out)" -eq 48 ]
	grep -q 'http://127.0.0.1:1: in trouble: left alone' err
	# Once each, and the four that failed before it was in trouble once more: then it is left alone for longer than they wait.
	[ "$(jq -r 'select(.path == "/503") | .path' got | wc -l)" -le 13 ]
}

@test "where an upstream is slow, one tenant's flood leaves room for another's message" {
	hook_up
	account slow /hang
	mkdir a/other
	printf '%s\n' 'platform = webhook' "url = $HOOK/ok" 'allow-private = yes' >a/other/fast.conf
	mkfifo pipe
	deliver -A a -b box.db -L text <pipe >out 2>err &
	DAEMON_PID[d]=$!
	exec {IN}>pipe
	{
		for i in $(seq 90); do say "slow$i" webhook "c$i" x; done
		event one message.send '{"platform":"webhook","channel":{"id":"x"},"text":"hello"}' '"tenant":"other"'
	} >&$IN
	wait_for out '"one.deliver".*message.sent'
	hanging() { [ "$(grep -c /hang got)" -eq 14 ]; }
	wait_until 10 hanging
	daemon_kill d
	exec {IN}>&-
}
