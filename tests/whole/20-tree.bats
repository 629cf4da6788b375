# A whole tree, as `penstock new` writes it: a line goes in, its answer comes out of the history, and nothing is lost or done twice by
# stopping, starting and killing.
load ../lib/daemon
load ../lib/line
load ../penstock/tree

setup() { tree_new; tree_up; }

# Lines of the history with this text.
told() { p export | jq -c --arg t "$1" 'select(.data.text // "" | contains($t))'; }
told_times() { [ "$(told "$1" | wc -l)" -eq "$2" ]; }
pending() { p status --json | jq '[.destinations[].pending] | add'; }
idle() { [ "$(pending)" -eq 0 ]; }

@test "!help is answered, and the answer is in the history" {
	p send --text '!help'
	wait_until 10 told_times 'I know !help' 1
	run -0 p query last lobby
	[[ $output == *'!help'* && $output == *'I know !help'* ]]
	told 'I know !help' | jq -e '.type == "message.send" and .partitionkey == "browser:lobby"'
}

@test "what people say is judged" {
	p send --text 'I love this so much, thank you!'
	judged() { p export | jq -r 'select(.type == "analysis.emotion").data.top' | grep -qx gratitude; }
	wait_until 10 judged
}

@test "stopped and started again: the history is there, nothing is answered twice" {
	p send --text '!help'
	wait_until 10 told_times 'I know !help' 1
	wait_until 10 idle
	p export >"$T/before"
	tree_down
	tree_up
	p send --text '!ping'
	wait_until 10 told_times pong 1
	wait_until 10 idle
	p export >"$T/after"
	cmp "$T/before" <(head -n "$(wc -l <"$T/before")" "$T/after")
	told_times 'I know !help' 1
	[ "$(ids "$T/after" | sort | uniq -d | wc -l)" -eq 0 ]
}

@test "down leaves no process and no socket" {
	p send --text '!help'
	pids=$(p status --json | jq '.supervise, .services[].pid')
	[ "$(wc -w <<<"$pids")" -eq 7 ]
	tree_down
	for pid in $pids; do process_gone "$pid"; done
	[ -z "$(find "$D" -type s)" ]
}

@test "every service killed while lines go through: all of them arrive, each once" {
	DAEMON_KILLED=yes
	for i in $(seq 300); do chat "c-$i" '!ping' "u$i" "room$((i % 5))"; done >"$T/in"
	daemon_run send penstock -C "$D" send "$T/in"
	for name in store respond route analyze deliver gatewayd; do
		# It may just have ended by itself, for want of another.
		killed() { kill -9 "$(service_pid "$name")" 2>/dev/null; }
		wait_until 20 killed
	done
	daemon_wait send
	[ "$status" -eq 0 ]
	all_up() { p status >/dev/null; }
	wait_until 30 all_up
	answered() { [ "$(p export | jq -r 'select(.type == "message.send").causationid' | sort -u | wc -l)" -eq 300 ]; }
	wait_until 60 answered
	wait_until 30 idle
	p export >"$T/out"
	[ "$(ids "$T/out" | sort | uniq -d | wc -l)" -eq 0 ]
	cmp <(sort "$T/in") <(grep -F '"source":"/test"' "$T/out" | grep chat.message | sort)
}
