#!/usr/bin/env bats
# penstock swap: another stage in the place of analyze, and back; whatever fails changes nothing.
load ../lib/daemon
load ../lib/line
load tree
load swap

@test "wrong usage exits 2" {
	tree_new
	for words in '--back' 'a b' '--back --promote analyze' '--canary 10% analyze' '--shadow analyze' '../x' '--canary 0 analyze -- cat' \
		'--canary 10% --shadow analyze -- cat' '--native --mode line analyze -- cat' 'analyze --' '--mode none analyze -- cat'; do
		echo "$words"
		run -2 penstock -C "$D" swap $words
	done
	run -1 p swap analyze -- cat
	[[ $output == *"is down"* ]]
	run -0 p swap
	[[ $output == *"nothing is swapped"* ]]
	run -0 p swap analyze
	[[ $output == *"not swapped"* ]]
	run -1 p swap --back analyze
	[[ $output == *"nothing to take back"* ]]
}

@test "what is no stage, or no service, is not swapped" {
	tree_new
	tree_up
	for name in route gatewayd store; do
		run -1 p swap --native $name -- analyze
		[[ $output == *"it is no stage"* ]]
	done
	run -1 p swap --native nobody -- analyze
	[[ $output == *"no such service"* ]]
	unchanged
}

@test "a native stage: swap, restart of the tree, swap again, back, back" {
	tree_new
	tree_up
	run -0 p swap --native analyze --watch 100ms -- analyze -e etc/emotes.tsv
	[[ $output == *"analyze.1 is in force"* ]]
	[ "$(in_force)" = analyze.1 ]
	[ "$(services)" = "analyze.1 deliver gatewayd respond route store" ]
	run -0 p status
	[[ $output == *"analyze      aside"* && $output == *"--back brings analyze"* ]]
	p send --text 'this is great'
	tree_down
	tree_up
	[ "$(services)" = "analyze.1 deliver gatewayd respond route store" ]
	pid=$(service_pid analyze.1)
	p restart analyze
	[ "$(service_pid analyze)" = none ]
	[ "$(service_pid analyze.1)" != "$pid" ]
	p swap --native analyze --watch 100ms -- analyze
	[ "$(services)" = "analyze.2 deliver gatewayd respond route store" ]
	wait_until 20 _done
	run -0 p swap --back analyze
	[ "$(in_force)" = analyze.1 ]
	[ "$(services)" = "analyze.1 deliver gatewayd respond route store" ]
	run -0 p swap --back analyze
	[[ $output == *"not swapped"* ]]
	unchanged
	run -1 p swap --back analyze
}

@test "back while the tree is down" {
	tree_new
	tree_up
	p swap --native analyze --watch 100ms -- analyze
	tree_down
	p swap --back analyze
	[ "$(ls "$D/service" | xargs)" = "analyze deliver gatewayd respond route store" ]
	tree_up
	unchanged
}

@test "whatever fails changes nothing, and the reason is said" {
	tree_new
	tree_up
	cd "$T"
	for name in exits hangs junk never dies; do
		{
			echo '#!/bin/sh'
			echo 'hub=; for word; do case $word in ipc:*) hub=yes ;; esac; done'
			case $name in
			exits) echo 'echo boom >&2; exit 3' ;;
			hangs) echo 'exec cat /dev/zero >/dev/null' ;;
			junk) echo 'cat >/dev/null; echo hello' ;;
			never) echo '[ "$hub" ] || exec cat; exec sleep 1000' ;;
			dies) echo '[ "$hub" ] || exec cat; echo >&3; exit 7' ;;
			esac
		} >$name
		chmod +x $name
	done
	run -1 p swap --native analyze -- "$T/none"
	[[ $output == *"none: No such file"*"nothing has changed"* ]]
	run -1 p swap --native analyze -- "$T/exits"
	[[ $output == *"code 3"*boom*"nothing has changed"* ]]
	run -1 p swap --native analyze --wait 500ms -- "$T/hangs"
	[[ $output == *"did not end within"*"nothing has changed"* ]]
	run -1 p swap --native analyze -- "$T/junk"
	[[ $output == *"no event"*"nothing has changed"* ]]
	unchanged
	run -1 p swap --native analyze --wait 3s -- "$T/never"
	[[ $output == *"not ready"*"nothing has changed"* ]]
	unchanged
	run -1 p swap --native analyze -- "$T/dies"
	[[ $output == *"does not stay up: code 7"*"nothing has changed"* ]]
	unchanged
	p send --text 'this is great'
	wait_until 20 _done
}

@test "a program that passes its probe and does no line of the stream is not put in force" {
	tree_new
	tree_up
	cat >"$T/later" <<-'EOF2'
		#!/bin/sh
		while IFS= read -r line; do
			case $line in
			*"good message"*) [ "$1" = exits ] && exit 7; exec sleep 1000 ;;
			esac
			printf '%s\n' "$line"
		done
	EOF2
	chmod +x "$T/later"
	load_begin 200 60
	run -1 p swap --mode sync analyze -- "$T/later" exits
	[[ $output == *"refused "*" lines, and did 0"*"nothing has changed"* ]]
	run -1 p swap --mode sync --wait 2s --drain 500ms analyze -- "$T/later" hangs
	[[ $output == *"was given "*" lines, and did none of them in the time given by --wait"*"nothing has changed"* ]]
	load_cut
	load_end
	exact "$(<"$T/sent")"
	unchanged
}

@test "an interrupted swap takes everything back" {
	tree_new
	tree_up
	daemon_run swap penstock -C "$D" swap --native analyze --watch 60s -- analyze
	wait_until 20 service_is analyze.1 run
	daemon_signal swap INT
	daemon_wait swap
	[ "$status" -eq 1 ]
	grep -q 'interrupted' "$T/swap.err"
	unchanged
}

@test "only one swap at a time" {
	tree_new
	tree_up
	daemon_run swap penstock -C "$D" swap --native analyze --watch 60s -- analyze
	wait_until 20 service_is analyze.1 run
	run -1 p swap --native respond -- respond -r etc/replies
	[[ $output == *"another penstock swap is at work"* ]]
	daemon_signal swap TERM
	daemon_wait swap
	unchanged
}

@test "swap and back under load: nothing is lost, nothing is repeated" {
	tree_new
	tree_up
	load_begin 2000 6
	wait_until 20 accepted 1000
	p swap --native analyze --watch 500ms -- analyze -e etc/emotes.tsv
	[ "$(in_force)" = analyze.1 ]
	p swap --back analyze
	load_end
	exact 12000
	unchanged
}

@test "a swapped stage that keeps failing is taken back by itself" {
	tree_new
	tree_up
	cat >"$T/later" <<-'EOF2'
		#!/bin/sh
		[ ! -e "$0.broken" ] || exit 9
		exec analyze "$@"
	EOF2
	chmod +x "$T/later"
	p swap --native analyze --watch 100ms -- "$T/later"
	[ "$(in_force)" = analyze.1 ]
	touch "$T/later.broken"
	DAEMON_KILLED=yes
	kill -9 "$(service_pid analyze.1)"
	back() { [ "$(in_force)" = analyze ] && [ "$(services)" = "analyze deliver gatewayd respond route store" ]; }
	wait_until 60 back
	run -0 p swap analyze
	[[ $output == *"taken back by itself: analyze.1 failed 4 times"* ]]
	p send --text 'this is great'
	wait_until 20 _done
}

@test "programs of any language through stage: its mode is found, it runs where it was given, with every word as it was" {
	tree_new
	tree_up
	mkdir "$T/my bots"
	cd "$T/my bots"
	cat >"it's.sh" <<-'EOF2'
		#!/bin/sh
		[ "$PWD" = "$2" ] && [ "$1" = "a 'word' \$HOME" ] || exit 100
		while IFS= read -r line; do
			case $line in
			*'"type":"chat.message"'*) echo '{"type":"analysis.emotion","data":{'"$3"'"channel":{"id":"r"},"user":{"id":"u"},"top":"joy","scores":{"joy":1}}}' ;;
			*) echo ;;
			esac
		done
	EOF2
	chmod +x "it's.sh"
	run -1 p swap --mode line analyze -- "./it's.sh" "a 'word' \$HOME" "$PWD"
	[[ $output == *"a data field that this type must have is missing"*"nothing has changed"* ]]
	unchanged
	run -0 p swap --mode line --watch 100ms analyze -- "./it's.sh" "a 'word' \$HOME" "$PWD" '"message_id":"m",'
	[[ $output == *"analyze.1 is in force: line: "* ]]
	p send --text 'hello'
	wait_until 20 outputs_are 1
	p swap --back analyze
	run -0 p swap --watch 100ms analyze -- "$ROOT/scripts/examples/mood.py"
	[[ $output == *"stage --check says mode sync"* ]]
	p send --text 'hello again'
	wait_until 20 outputs_are 2
	[ "$(outputs | grep -c '\.analyze$')" -eq 2 ]
	run -1 p swap analyze -- false
	[[ $output == *"cannot be used as a stage"*"nothing has changed"* ]]
	run -1 p swap analyze --mode eof -- grep nothing-like-it
	[[ $output == *"nothing has changed"* ]]
	[ "$(in_force)" = analyze.1 ]
	p swap --back analyze
	unchanged
}
