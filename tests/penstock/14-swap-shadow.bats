#!/usr/bin/env bats
# penstock swap --shadow and --diff, --canary, --promote.
load ../lib/daemon
load ../lib/line
load tree
load swap

# What a shadow would have said, and what it was given; the record of one that is at work.
shadow_by_hand() {
	mkdir -p "$D/service/.swap"
	echo '{"phase":"rest","how":"shadow","percent":0,"from":1,"next":2,"since":1795183550360828313,"dest":"analyze","stage":"analyze","trial":"analyze.1","chain":[{"service":"analyze"}],"program":{"native":true,"folder":"/","words":["x"],"options":[]}}' \
		>"$D/service/.swap/analyze"
	p swap --keep analyze
}

analysis() { event "$1.analyze" analysis.emotion "{\"channel\":{\"id\":\"r\"},\"user\":{\"id\":\"u\"},\"message_id\":\"$1\",\"top\":\"$2\",\"scores\":${3:-{\}}}"; }

@test "diff: by id; the order of members and times do not count, what only one says does" {
	tree_small
	tree_up
	{
		for i in 1 2 3 4 5 6; do chat "e-$i" "text $i"; done
		for i in 1 2 3 4 6; do analysis "e-$i" joy '{"joy":1,"anger":0}'; done
		analysis e-1.analyze joy		# another's: an id of the same ending
		event e-9.other x.y
	} >"$T/in"
	p send "$T/in"
	{
		for i in 1 2 3 4 5 6; do chat "e-$i" "text $i"; done
		analysis e-1 joy '{"anger":0,"joy":1}' | sed 's/"specversion"/"time":"2026-01-01T00:00:00Z",&/'
		analysis e-2 joy '{"joy":1,"anger":0}'
		analysis e-2 joy '{"joy":1,"anger":0}'	# twice, as after a kill
		analysis e-3 anger '{"joy":1,"anger":0}'
		analysis e-4 joy '{"joy":0.5,"anger":0}'
		analysis e-5 joy
		printf '{"half'
	} | shadow_by_hand
	run -0 p swap --diff analyze
	echo "$output"
	[[ $output == *"e-3.analyze: data.top"*'old "joy"'*'new "anger"'* ]]
	[[ $output == *"e-4.analyze: data.scores.joy"*'old 1'*'new 0.5'* ]]
	[[ $output == *"e-6.analyze: only the old one says something"* ]]
	[[ $output == *"e-5.analyze: only the new one says something"* ]]
	[[ $output == *"analyze: 6 events compared, 33.33 % equal; 2 differ, 1 only the old one made, 1 only the new one"* ]]
}

@test "diff: no more than five examples; what is kept has a bound" {
	tree_small
	tree_up
	for ((i = 1; i <= 20; i++)); do analysis "e-$i" joy; done >"$T/in"
	p send "$T/in"
	sed 's/"joy"/"fear"/' "$T/in" | shadow_by_hand
	run -0 p swap --diff analyze
	[ "$(grep -c ': data.top' <<<"$output")" -eq 5 ]
	[[ $output == *"and 15 more"*"20 events compared, 0.00 % equal; 20 differ"* ]]
	[[ $output == *"cannot be told"* ]]
	# 100 MB of it
	line=$(printf '%01000d' 7)
	yes "$line" | head -n 100000 | p swap --keep analyze
	[ "$(du -cb "$D"/run/shadow/analyze/* | tail -n 1 | cut -f 1)" -le 67108864 ]
	[ -z "$(cut -c 1001- "$D"/run/shadow/analyze/old.ndjson | grep . | head -n 1)" ]
}

@test "diff wants a shadow" {
	tree_new
	run -1 p swap --diff analyze
	[[ $output == *"no shadow is at work"* ]]
}

@test "shadow: what it says is compared and not sent; the same program is equal; promote and back" {
	tree_new
	tree_up
	run -0 p swap --shadow --native --watch 100ms analyze -- analyze -e etc/emotes.tsv
	[[ $output == *"shadow analyze.1"* ]]
	load_begin 500 4
	load_end
	exact 2000
	compared() { run p swap --diff analyze; [[ $output == *"2000 events compared"* ]]; }
	wait_until 20 compared
	[[ $output == *"2000 events compared, 100.00 % equal; 0 differ, 0 only the old one made, 0 only the new one"* ]]
	run -0 p swap --promote --watch 100ms analyze
	[[ $output == *"analyze.2 is in force"* ]]
	[ "$(services)" = "analyze.2 deliver gatewayd respond route store" ]
	p swap --back analyze
	unchanged
	exact 2000
}

@test "shadow: a program that judges otherwise; taken back" {
	tree_new
	tree_up
	p swap --shadow --mode sync --watch 100ms analyze -- "$ROOT/scripts/examples/mood.py"
	load_begin 500 2
	load_end
	exact 1000
	compared() { run p swap --diff analyze; [[ $output == *"1000 events compared"* ]]; }
	wait_until 20 compared
	[[ $output == *"1000 events compared, 0.00 % equal; 1000 differ"* ]]
	[[ $output == *"e-"*".analyze: data."* ]]
	run -1 p swap --native analyze -- analyze
	[[ $output == *"a shadow is at work"* ]]
	p swap --back analyze
	unchanged
	[ -z "$(find "$D/run/shadow" -type f)" ]
}

@test "canary: its share of the conversations, always the same ones; over a restart; promote and back" {
	tree_new
	tree_up
	run -0 p swap --canary 50% --mode sync --watch 100ms analyze -- "$ROOT/scripts/examples/mood.py"
	[[ $output == *"canary analyze.1 gets 50 %"* ]]
	load_begin 500 4
	wait_until 20 accepted 500
	kill -9 "$(service_pid route)"
	DAEMON_KILLED=yes
	load_end
	exact 2000
	route -T -d "$D/spool" --from 1 --once -w 'type == "analysis.emotion"' >"$T/all"
	room() { grep -o '"partitionkey":"[^"]*"' | sort -u; }
	grep -F '"type": "analysis' "$T/all" | room >"$T/new"
	grep -vF '"type": "analysis' "$T/all" | room >"$T/old"
	[ -s "$T/new" ]
	[ -s "$T/old" ]
	[ -z "$(comm -12 "$T/new" "$T/old")" ]
	run -0 p swap --promote --watch 100ms analyze
	[[ $output == *"analyze.1 is in force"* ]]
	[ "$(services)" = "analyze.1 deliver gatewayd respond route store" ]
	p swap --back analyze
	unchanged
}

@test "a canary that refuses is taken out by route, and no line is lost" {
	tree_new
	tree_up
	cat >"$T/later" <<-'EOF2'
		#!/bin/sh
		while IFS= read -r line; do
			case $line in *penstock-probe*) echo ;; *) exit 111 ;; esac
		done
	EOF2
	chmod +x "$T/later"
	p swap --canary 50% --mode line --watch 100ms analyze -- "$T/later"
	load_begin 200 3
	off() { run p swap analyze; [[ $output == *"route took its lines back"* ]]; }
	wait_until 30 off
	load_end
	exact 600
	run -1 p swap --promote --watch 100ms analyze
	p swap --back analyze
	unchanged
}

@test "a shadow killed again and again is taken back by itself" {
	tree_new
	tree_up
	p swap --shadow --native --watch 100ms analyze -- analyze
	DAEMON_KILLED=yes
	gone() {
		local pid
		[ "$(phase)" != none ] && [ "$(swaps .trial)" != null ] || return 0
		# Not its finish, which notes that it failed.
		pid=$(service_field analyze.1 'select(.state == "run").pid')
		[[ ! $pid =~ ^[0-9]+$ ]] || kill -9 "$pid"
		return 1
	}
	wait_until 60 gone
	run -0 p swap analyze
	[[ $output == *"taken back by itself: analyze.1 failed 4 times"* ]]
	p status >/dev/null
}

@test "shadow: it never gets a line that is not a copy: route killed, the tree restarted, the swap killed, the shadow away for 6 s" {
	tree_new
	tree_up
	DAEMON_KILLED=yes
	daemon_run swap penstock -C "$D" swap --shadow --native --watch 60s analyze -- analyze
	wait_until 20 phase_is try
	load_begin 300 14
	wait_until 20 service_is analyze.1 run
	daemon_kill swap
	wait_until 20 accepted 300
	p swap --shadow --native --watch 100ms analyze -- analyze -e etc/emotes.tsv
	kill -9 "$(service_pid route)"
	wait_until 20 service_is route run
	p stop analyze.2
	off() { run p swap analyze; [[ $output == *"took its lines back"* ]]; }
	wait_until 20 off
	p start analyze.2
	load_end
	exact 4200
	tree_down
	tree_up
	p send --text 'this is good'
	wait_until 20 outputs_are 4201
	p swap --back analyze
	unchanged
}
