load deliver

@test "429 in every form: said once, later; nobody's limit is ignored" {
	lab_up
	fault "$(for form in 'scope=user retry=0.1' 'scope=global retry=0.1' 'scope=shared retry=0.1' 'scope=cloudflare retry=1' 'scope=bare retry=1' \
		'scope=user retry=0.1 form=after'; do
		echo "request 1 method=POST path=/messages: 429 $form"
	done)"
	for i in 1 2 3; do say "a$i" discord "$GENERAL" "a $i"; say "b$i" discord "$BOTS" "b $i"; done >in
	[ "$(through <in | grep -c sent)" -eq 6 ]
	said 'select(.name == "general").text' | diff - <(seq -f 'a %g' 3)
	said 'select(.name == "bots").text' | diff - <(seq -f 'b %g' 3)
	[ "$(lab counts | jq .counts.fault)" -eq 6 ]
}

@test "429 of Twitch: points, and an endpoint's own limit" {
	lab_up
	fault $'request 1 path=/chat/messages: 429 scope=endpoint\nrequest 2 path=/chat/messages: 429 scope=points retry=1'
	[ "$(say 1 twitch 42 x | through)" = "1 sent" ]
	[ "$(said .text)" = x ]
}

@test "an answer that is lost: Discord knows the nonce, Twitch is not asked twice unless the account says so" {
	lab_up
	fault $'request 1 method=POST path=/channels: lost form=reset\nrequest 1 method=POST path=/channels: lost form=500'
	[ "$(say 1 discord "$GENERAL" once | through)" = "1 sent" ]
	[ "$(said .text)" = once ]
	[ "$(lab journal?kind=said-again | jq '.entries | length')" -ge 1 ]
	fault 'request 1-2 path=/chat/messages: lost form=reset'
	[ "$(say 2 twitch 42 once | through)" = "2 failed unknown" ]
	[ "$(said 'select(.platform == "twitch").text' | wc -l)" -eq 1 ]
	echo 'send-unknown = again' >>"$A/default/lab-twitch.conf"
	fault $'request 1 path=/chat/messages: lost form=500'
	[ "$(say 3 twitch 42 twice | through)" = "3 sent" ]
}

@test "what never arrived is no riddle: it waits, and is late in the end" {
	lab_up
	sed -i 's|^helix.*|helix = http://127.0.0.1:1/helix|' "$A/default/lab-twitch.conf"
	[ "$(say 1 twitch 42 x | through -g 1s)" = "1 failed late" ]
}

@test "a token that has ended is renewed, once for all; what the platform refuses is told with its code" {
	lab_up
	lab twitch/expire '{"user":"penstock"}' >/dev/null
	for i in 1 2 3; do say "t$i" twitch 42 "x $i"; done >in
	[ "$(through <in | grep -c sent)" -eq 3 ]
	lab discord/channel "{\"id\":\"$GENERAL\",\"deny\":50013}" >/dev/null
	fault 'request 1 path=/chat/messages: drop msg_rejected'
	{ say 1 discord "$GENERAL" x; say 2 twitch 42 y; say 3 discord 1100000000000000999 x; say 4 twitch 4711 x; } | through | sort >out
	sed -n '1,2p' out | diff - <(printf '%s\n' '1 failed refused 50013' '2 failed refused msg_rejected')
	grep -q '^3 failed refused 10003$' out
	grep -q '^4 failed refused 40[03]$' out
	[ "$(schema <passed | awk '{ print $1 }' | xargs)" = "message.failed message.send message.sent" ]
}

@test "a token that is refused stops the account until its files change" {
	lab_up
	cp -r "$A" old
	lab discord/token '{}' >/dev/null
	deliver -A old -b box.db -L text < <(for i in 1 2 3 4 5; do say $i discord "$GENERAL" x; done) 2>err |
		jq -r 'select(.type == "message.failed").data.cause' >out
	[ "$(sort -u out)" = credentials ]
	[ "$(wc -l <out)" -eq 5 ]
	grep -q 'lab-discord.conf: .*401' err
	[ "$(lab journal?kind=unauthorized | jq '.entries | length')" -le 1 ]
}

@test "trouble at the platform: the message is said when it is over" {
	lab_up
	fault $'request 1 method=POST path=/channels: status 503\nrequest 1 method=POST path=/channels: html 502'
	[ "$(say 1 discord "$GENERAL" x | through)" = "1 sent" ]
	[ "$(said .text)" = x ]
}

@test "a nonce that the platform may have forgotten is not relied on" {
	lab_up
	fault $'request 1 method=POST path=/channels: lost form=reset\nrequest 1 method=POST path=/channels: 429 scope=user retry=30'
	mkfifo pipe
	deliver -A "$A" -b box.db -L text -M m <pipe >out 2>err &
	DAEMON_PID[d]=$!
	exec {IN}>pipe
	say 1 discord "$GENERAL" once >&$IN
	limited() { [ "$(lab counts | jq '.counts.ratelimit // 0')" -eq 1 ]; }
	wait_until 10 limited
	daemon_kill d
	exec {IN}>&-
	# Three minutes later
	sqlite3 box.db 'UPDATE message SET begun = begun - 180000000000'
	[ "$(through </dev/null)" = "1 failed unknown" ]
	[ "$(said .text)" = once ]
}
