load ../lib/daemon
load ../lib/line

setup() {
	mkdir "$T/r"
	cp "$ROOT/share/replies.conf" "$T/r/default.conf"
}

answers() { respond -r "$T/r" "$@" | jq -r 'select(.type == "message.send") | .id + " " + .data.text'; }

@test "the default file answers a newcomer" {
	{ chat 1 '!ping'; chat 2 '!hug bob'; chat 3 '!hug'; chat 4 'Good morning all'; chat 5 'what a day'; chat 6 '!help ping'; } |
		answers >"$T/got"
	sed -i '4s/: .*//; 4s/\(.*\) \(Hello\|Hi there\|Welcome\), ann! Type !help.*/\1 greeting/' "$T/got"
	diff "$T/got" - <<-'END'
		1.respond pong
		2.respond ann hugs bob.
		3.respond ann hugs everybody.
		4.respond greeting
		6.respond !ping: Is anybody there?
	END
}

@test "!help lists what the file has" {
	got=$(chat 1 '!help' | answers)
	for c in $(sed -n 's/^command \([a-z]*\).*/\1/p' "$T/r/default.conf"); do
		[[ "$got" == *"!$c"* ]] || { echo "$c is missing in: $got"; false; }
	done
}

@test "strong sadness is comforted, by name; weak sadness is not" {
	got=$({ emotion 1 sadness 0.9 bo; emotion 2 sadness 0.3 bo; emotion 3 joy 0.9 bo; } | answers)
	[[ "$got" == "1.analyze.respond "*", bo."* ]]
	[ "$(wc -l <<<"$got")" -eq 1 ]
}

@test "an answer belongs to its cause" {
	line='{"specversion":"1.0","id":"m\"1","source":"/twitch/x","type":"chat.message","tenant":"t1","partitionkey":"twitch:9","time":"2026-11-20T10:00:00Z","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":{"channel":{"id":"9","name":"Room"},"user":{"id":"u"},"text":"!ping","message_id":"p7"}}'
	echo "$line" | respond -r "$T/r" >"$T/out"
	head -n 1 "$T/out" | diff - <(echo "$line")
	tail -n +2 "$T/out" | jq -e '
		.id == "m\"1.respond" and .source == "/twitch/x" and .type == "message.send" and .tenant == "t1" and
		.partitionkey == "twitch:9" and .causationid == "m\"1" and .data.channel == {id: "9", name: "Room"} and
		.data.reply_to == "p7" and .data.platform == "twitch" and .data.user.bot and .data.text == "pong" and
		(.traceparent | startswith("00-0af7651916cd43dd8448eb211c80319c-")) and
		(.traceparent | contains("b7ad6b7169203331") | not)'
}

@test "a command of the platform is the same command; its answer names account and interaction" {
	invoked() { printf '{"specversion":"1.0","id":"i-%s","source":"/discord/b","type":"command.invoked","data":{"platform":"discord","account":"b","channel":{"id":"9"},"user":{"id":"u","name":"ann"},"command":"%s","args":%s,"interaction":{"id":"%s","token":"tok","application_id":"6","type":2}}}\n' "$1" "$2" "$3" "$1"; }
	{ invoked 1 ping '{}'; invoked 2 hug '{"who":"bob \"x\" y","n":[1]}'; invoked 3 'ping now' '{}'; invoked 4 nothing '{}'; } |
		respond -r "$T/r" | grep message.send >"$T/out"
	[ "$(wc -l <"$T/out")" -eq 3 ]
	jq -r '.data.text' "$T/out" | diff - <(printf '%s\n' pong "ann hugs bob 'x' y." pong)
	head -n 1 "$T/out" | jq -e '.data.account == "b" and .data.platform == "discord" and .data.interaction == {id: "1", token: "tok", application_id: "6", type: 2}'
	chat 5 '!ping' | sed 's/"data":{/&"platform":"twitch","account":"other",/' | respond -r "$T/r" | tail -n 1 |
		jq -e '.data.account == "other" and .data.platform == "twitch" and (.data | has("interaction") | not)'
}

@test "in a pipe every line is passed on, unchanged and in order, before its answers" {
	{ chat 1 '!ping'; event 2 member.join '{"channel":{"id":"x"},"user":{"id":"u"},"n":1.50}'; chat 3 hello; event 4 new.type '[1, 2]'; } >"$T/in"
	respond -r "$T/r" <"$T/in" >"$T/out"
	grep -v '"type":"message.send"' "$T/out" | diff - "$T/in"
	[ "$(ids "$T/out" | tr '\n' ' ')" = "1 1.respond 2 3 3.respond 4 " ]
}

@test "same input, same output" {
	{ for i in $(seq 1 200); do chat "m$i" '!roll'; chat "f$i" '!flip'; chat "h$i" hello; done; } >"$T/in"
	respond -r "$T/r" <"$T/in" >"$T/one"
	respond -r "$T/r" <"$T/in" >"$T/two"
	cmp "$T/one" "$T/two"
	# and yet not always the same
	[ "$(jq -r 'select(.type=="message.send") | .data.text' "$T/one" | grep -c 'rolls')" -eq 200 ]
	[ "$(jq -r 'select(.type=="message.send") | .data.text' "$T/one" | grep -o 'rolls [1-6]' | sort -u | wc -l)" -eq 6 ]
}

@test "its own lines and other bots' lines are not answered" {
	{ event 1 chat.message '{"channel":{"id":"c"},"user":{"id":"b","bot":true},"text":"!ping"}'
	  chat 2 '!ping' | respond -r "$T/r" | tail -n 1
	  event 3 chat.message '{"channel":{"id":"c"},"user":{"id":"b","bot":false},"text":"!ping"}'; } >"$T/in"
	[ "$(answers <"$T/in" | tr '\n' ' ')" = "2.respond pong 3.respond pong " ]
	[ "$(respond -r "$T/r" <"$T/in" | wc -l)" -eq 4 ]
}

@test "what was written in another channel of a Shared Chat is answered where the file wants it" {
	printf 'command ping\n say pong\nemotion joy above 0.5\n say well\n' >"$T/r/default.conf"
	{ event 1 chat.message '{"channel":{"id":"c"},"user":{"id":"a"},"text":"!ping"}'
	  event 2 chat.message '{"channel":{"id":"c"},"user":{"id":"a"},"text":"!ping","message_id":"m2","shared_id":"m1"}'
	  event 3 analysis.emotion '{"channel":{"id":"c"},"message_id":"m2","shared_id":"m1","top":"joy","scores":{"joy":0.9}}'; } >"$T/in"
	answers <"$T/in" | diff - <(printf '1.respond pong\n')
	sed -i '1i set shared yes' "$T/r/default.conf"
	answers <"$T/in" | diff - <(printf '1.respond pong\n2.respond pong\n3.respond well\n')
}

@test "a tenant's own file, and the default for the others" {
	printf 'set prefix ?\nset name Eva\ncommand ping\n say {bot} of {tenant}\n' >"$T/r/t1.conf"
	{ chat 1 '!ping'; chat 2 '!ping' ann lobby t1; chat 3 '?ping' ann lobby t1; chat 4 '!ping' ann lobby t2; } >"$T/in"
	answers <"$T/in" | diff - <(printf '1.respond pong\n3.respond Eva of t1\n4.respond pong\n')
	sed -i '1i set others no' "$T/r/default.conf"
	answers <"$T/in" | diff - <(printf '1.respond pong\n3.respond Eva of t1\n')
}

@test "several messages in one answer" {
	printf 'command two\n say one\n say {nothing:}{1}\n say three\n' | sed 's/{nothing:}//' >"$T/r/default.conf"
	chat 1 '!two' | answers | diff - <(printf '1.respond one\n1.respond.1 three\n')
}
