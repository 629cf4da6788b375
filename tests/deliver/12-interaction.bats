load deliver

# An interaction of the lab; its id and token in $IID and $TOKEN.
fire() {
	lab discord/interaction '{"channel":"general","user":"ada","name":"ping"}' >fired
	IID=$(jq -r .id fired) TOKEN=$(jq -r .token fired)
}
members() { printf '"interaction":{"id":"%s","token":"%s","application_id":"1100000000000000100","type":2}' "$IID" "$TOKEN"; }
invoked() { event "i-$IID" command.invoked "{\"platform\":\"discord\",\"channel\":{\"id\":\"$GENERAL\"},\"user\":{\"id\":\"1\"},\"command\":\"ping\",$(members)}"; }
answer() { say "$1" discord "$GENERAL" "$2" "$(members)"; }
state() { lab discord/interactions | jq -c --arg id "$IID" '.interactions[] | select(.id == $id)'; }

@test "the first answer answers it, further ones follow" {
	lab_up
	fire
	{ invoked; answer 1 first; answer 2 second; answer 3 third; } >in
	[ "$(through <in)" = $'1 sent\n2 sent\n3 sent' ]
	[ "$(said '[.how, .text] | join(" ")')" = $'interaction first\nfollowup second\nfollowup third' ]
}

# deliver on a pipe that stays open: what is written to $IN goes in.
pipe_up() {
	mkfifo pipe
	deliver -A "$A" -b box.db -L text "$@" <pipe >out 2>err &
	DAEMON_PID[d]=$!
	exec {IN}>pipe
}
pipe_end() { exec {IN}>&-; daemon_wait d; [ "$status" -eq 0 ]; }

@test "nobody answers in time: it is deferred, and the answer takes the placeholder's place" {
	lab_up
	fire
	pipe_up
	invoked >&$IN
	deferred() { [ "$(state | jq .answered)" = 5 ]; }
	wait_until 5 deferred
	{ answer 1 late; answer 2 more; } >&$IN
	wait_for out '"2.deliver"'
	pipe_end
	lab messages?channel=general | grep -q late
	[ "$(said 'select(.how == "followup").text')" = more ]
	grep -c message.sent out | grep -qx 2
}

@test "after kill -9 with the deferral out, the answer still takes its place" {
	lab_up
	fire
	pipe_up
	invoked >&$IN
	deferred() { [ "$(state | jq .answered)" = 5 ]; }
	wait_until 5 deferred
	daemon_kill d
	exec {IN}>&-
	[ "$(answer 1 late | through)" = "1 sent" ]
	lab messages?channel=general | grep -q late
	[ "$(lab messages?channel=general | grep -o '"content":"late"' | wc -l)" -eq 1 ]
	# An event that is that old is not deferred once more
	[ -z "$(invoked | through)" ]
}

@test "told to stop while a command waits for its answer: it is deferred at once; an event that seems old by another clock is, too" {
	lab_up
	fire
	pipe_up
	invoked >&$IN
	wait_for out command.invoked
	daemon_signal d TERM
	daemon_wait d
	[ "$status" -eq 0 ]
	exec {IN}>&-
	[ "$(state | jq .answered)" = 5 ]
	fire
	rm pipe
	pipe_up
	event "i-$IID" command.invoked "{\"platform\":\"discord\",\"channel\":{\"id\":\"$GENERAL\"},\"user\":{\"id\":\"1\"},\"command\":\"ping\",$(members)}" \
		"\"time\":\"$(date -u -d '-20 seconds' +%FT%TZ)\"" >&$IN
	deferred() { [ "$(state | jq .answered)" = 5 ]; }
	wait_until 5 deferred
	pipe_end
}

@test "a first answer without an answer is known by the refusal of the second" {
	lab_up
	fire
	fault 'request 1 path=/callback: lost form=reset'
	[ "$(answer 1 first | through)" = "1 sent" ]
	[ "$(said .text)" = first ]
	fire
	fault 'request 1 path=/callback: status 503'
	[ "$(answer 2 again | through)" = "2 sent" ]
}

@test "too late, or answered by somebody else: the message fails with the platform's code" {
	lab_up
	fire
	curl -s "$LAB/api/v10/interactions/$IID/$TOKEN/callback" -H 'Content-Type: application/json' -H 'User-Agent: DiscordBot (http://x, 1)' -d '{"type":4,"data":{"content":"mine"}}'
	[ "$(answer 1 x | through)" = "1 failed answered 40060" ]
	IID=1500000000000000000 TOKEN=nobodys
	# The second one is not even asked for
	[ "$({ answer 2 x; answer 4 y; } | through)" = $'2 failed refused 10062\n4 failed late' ]
	TOKEN=../../channels
	[ "$(answer 3 x | through)" = "3 failed invalid" ]
}
