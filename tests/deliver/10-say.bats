load deliver

@test "a message on Discord and on Twitch, and what became of it" {
	lab_up
	{ say 1 discord "$GENERAL" 'hello "you"' '"account":"lab-discord"'; say 2 twitch 42 $'two\nlines' '"account":"lab-twitch"'; chat 3 nothing; } >in
	deliver -A "$A" -b box.db <in >out
	head -n 3 out | cmp - in
	[ "$(said '[.platform, .text] | join(" ")' | sort)" = $'discord hello "you"\ntwitch two lines' ]
	tail -n +4 out | jq -se --arg id "$(said 'select(.platform == "discord").id')" 'map({(.causationid): .}) | add |
		.["1"].type == "message.sent" and .["1"].id == "1.deliver" and .["1"].data.message_id == $id and .["1"].data.platform == "discord" and
		.["1"].data.account == "lab-discord" and .["1"].data.channel == {id: "1100000000000000011"} and .["1"].partitionkey == "discord:1100000000000000011" and
		(.["2"].data.message_id | length) == 36 and (keys | length) == 2'
}

@test "nobody is notified unless the event asks for it; a reply is one; an edit changes the message" {
	lab_up
	id=$(lab say '{"channel":"general","text":"a question"}' | jq -r '.ids[0]')
	say 1 discord "$GENERAL" '@everyone <@1> hi' "\"reply_to\":\"$id\"" >in
	say 2 discord "$GENERAL" 'hi' '"mentions":["users","reply"],"reply_to":"some-event.7"' >>in
	[ "$(through <in)" = $'1 sent\n2 sent' ]
	said '[(.allowed_mentions | tojson), .reply_to // "none"] | join(" ")' | diff - <(
		printf '%s\n' '{"parse":[]} '"$id" '{"parse":["users"],"replied_user":true} none')
	mine=$(said 'select(.text == "hi").id')
	[ "$(say 3 discord "$GENERAL" changed "\"edit\":\"$mine\"" | through)" = "3 sent" ]
	lab messages?channel=general | jq -e --arg id "$mine" '[.. | objects | select(.id? == $id)][0].content == "changed"'
}

@test "order is kept within a channel, whatever the limits say" {
	lab_up -o discord.bucket_window_s=0.2
	for i in $(seq 1 14); do say "a$i" discord "$GENERAL" "a $i"; say "b$i" discord "$BOTS" "b $i"; done >in
	[ "$(through <in | grep -c sent)" -eq 28 ]
	said 'select(.name == "general").text' | diff - <(seq -f 'a %g' 14)
	said 'select(.name == "bots").text' | diff - <(seq -f 'b %g' 14)
}

@test "what is too long or empty fails, and is parted when that is asked for" {
	lab_up
	long=$(printf 'word%.0s ' $(seq 1 450))
	long=${long% }
	say 1 discord "$GENERAL" "$long" >in
	say 2 discord "$GENERAL" "$long" '"split":true' >>in
	say 3 discord "$GENERAL" '  ' >>in
	say 4 discord nowhere x >>in
	say 5 twitch 42 x '"edit":"1"' >>in
	say 6 myspace 1 x >>in
	say 7 discord "$GENERAL" x '"account":"other"' >>in
	through <in | sort >out
	printf '%s\n' '1 failed invalid' '2 sent' '3 failed invalid' '4 failed invalid' '5 failed invalid' '6 failed account' '7 failed account' | diff - out
	[ "$(said .text | wc -l)" -eq 2 ]
	[ "$(said .text | paste -sd ' ')" = "$long" ]
	[ "$(said '.text | length <= 2000 and endswith("word") | tostring' | sort -u)" = true ]
	[ "$(said .nonce | sort -u | wc -l)" -eq 2 ]
}

@test "a repeat is recognised, also by the next process" {
	lab_up
	say 1 discord "$GENERAL" once >in
	[ "$(cat in in | through)" = "1 sent" ]
	[ -z "$(through <in)" ]
	[ "$(said .text)" = once ]
	grep -q 'accounts are in force' err
}

@test "lines from a pipe are checked" {
	lab_up
	{ echo '{"no":"event"}'; say 1 discord "$GENERAL" x; event 2 message.send '{"text":"x"}'; } >in
	[ "$(through <in)" = "1 sent" ]
	grep -q 'channel.id' err
}

@test "over TLS, whose certificate has to be trusted; accounts are read again on SIGHUP" {
	lab_up -t
	sed -i "s|^api.*|api = https://127.0.0.1:$(<"$T/lab/tls-port")/api/v10|" "$A/default/lab-discord.conf"
	[ "$(say 1 discord "$GENERAL" x | through -g 1s)" = "1 failed late" ]
	[ "$(say 2 discord "$GENERAL" x | through --ca "$T/lab/ca.pem")" = "2 sent" ]
	echo "ca = $T/lab/ca.pem" >>"$A/default/lab-discord.conf"
	mkfifo pipe
	mkdir accounts
	deliver -A accounts -b box.db -L text <pipe >out 2>err &
	DAEMON_PID[d]=$!
	exec {IN}>pipe
	say 3 discord "$GENERAL" x >&$IN
	wait_for out '"3.deliver".*"message.failed".*no account'
	cp -a "$A/default" accounts/
	daemon_signal d HUP
	wait_for err '2 accounts are in force'
	say 4 discord "$GENERAL" y >&$IN
	wait_for out '"4.deliver".*"message.sent"'
	echo 'api = nowhere' >>accounts/default/lab-discord.conf
	daemon_signal d HUP
	wait_for err '1 accounts are in force, 1 are wrong'
	exec {IN}>&-
	daemon_wait d
	[ "$status" -eq 0 ]
}
