bats_require_minimum_version 1.5.0
load ../lib/daemon
load lab

setup() { export PENSTOCK_SHARE=$ROOT/share; }

# daemon_start says -F 9 first, to any program.
program() {
	printf '#!/bin/sh\nshift 2\n%s\n' "$1" >"$T/program"
	chmod +x "$T/program"
}

@test "penstock lab: a log on a terminal, say, show, fault; account files that end with it" {
	cd "$T"
	mkdir -p tree/etc tree/service
	program 'exec penstock -C tree lab up -F 9 "$@"'
	daemon_start lab "$T/program" -t
	[ -s tree/run/lab/port ] && [ -s tree/run/lab/ca.pem ]
	for f in lab-discord.conf lab-twitch.conf; do
		grep -q "127.0.0.1:$(<tree/run/lab/port)" "tree/etc/accounts/default/$f"
	done
	[ "$(find tree/etc/accounts -name '*.token' -perm 600 | wc -l)" -eq 2 ]
	run -0 penstock -C tree lab say -u bob general 'hello <@&1>' there
	run -0 penstock -C tree lab say twitch:lab hi
	run -0 penstock -C tree lab show
	[ "$(tr -s ' ' <<<"$output")" = $'discord #general <bob> hello <@&1> there\ntwitch lab <ada> hi' ]
	run -1 penstock -C tree lab say nowhere hi
	[[ $output == *"no channel nowhere"* ]]
	run -0 penstock -C tree lab world
	[ "$(jq -r '.discord.bots[0].name' <<<"$output")" = penstock ]
	run -0 penstock -C tree lab violations
	[ -z "$output" ]
	curl -s -o /dev/null -H 'Authorization: Bearer x' "http://127.0.0.1:$(<tree/run/lab/port)/api/v10/users/@me"
	run -1 penstock -C tree lab violations
	[[ $output == *" s  discord: user-agent  path="* ]]
	run -0 penstock -C tree lab fault - <<<'now: unknown'
	run -1 penstock -C tree lab fault - <<<'now: nonsense'
	[[ $output == *"no fault nonsense"* ]]
	LAB=https://localhost:$(<tree/run/lab/tls-port)
	run -0 curl -s --cacert tree/run/lab/ca.pem "$LAB/lab/world"
	run -1 penstock -C tree lab up
	[[ $output == *"a lab runs there already, on port"* ]]
	run -1 penstock -C tree lab up -d other -p "$(<tree/run/lab/port)"
	[[ $output == *"Address already in use; -p 0 takes any"* ]]
	[ -e tree/etc/accounts/default/lab-discord.conf ]
	daemon_stop lab
	[ -z "$(ls tree/etc/accounts/default)" ]
	run -1 penstock -C tree lab show
	[[ $output == *"start a lab with"* ]]
}

@test "the lab's README tells of every call, fault, rule and kind of entry, and of no other" {
	run -0 python3 "$ROOT/tests/lab/pages.py"
}

@test "penstock lab: wrong words; no python3" {
	run -2 penstock lab nonsense
	run -2 penstock lab --port x
	run -1 penstock lab up -d "$T/x" -o no.such=1
	[[ $output == *"no setting no.such"* ]]
	run -1 penstock lab up -d "$T/x" -o discord.shards=x
	[[ $output == *"discord.shards: 'x' is no number"* ]]
	echo 'conect 1: fin' >"$T/script"
	run -1 penstock lab up -d "$T/x" -s "$T/script"
	[[ $output == *"no conect; there are: now"* ]] && [ ! -e "$T/x/port" ]
	run -1 penstock lab show -d "$T/none"
	[[ $output == *"penstock lab up"* ]]
	PATH=/nonexistent run -1 "$BIN/penstock" lab
	[[ $output == *"Debian's package python3"* ]]
}

@test "a terminal sees what is said" {
	program "exec script -qefc \"exec penstock lab up -d '$T/lab' -F 9\" /dev/null"
	daemon_start lab "$T/program"
	curl -s -d '{"channel":"general","user":"bob","text":"on the screen \u001b[2J"}' "http://127.0.0.1:$(<"$T/lab/port")/lab/say"
	wait_for "$T/lab.out" '<bob> on the screen \?\[2J'
	curl -s -X POST "http://127.0.0.1:$(<"$T/lab/port")/lab/quit"
	daemon_wait lab
	[ "$status" -eq 0 ]
}

@test "nothing of it is left in the folder for temporary files: ended by a signal; killed, with a folder of its own" {
	mkdir "$T/tmp"
	export TMPDIR=$T/tmp
	for s in TERM INT HUP; do
		daemon_start lab "$ROOT/tests/peers/lab/lab.py" -q
		daemon_stop lab $s
	done
	daemon_start lab "$ROOT/tests/peers/lab/lab.py" -q -d "$T/lab"
	daemon_kill lab
	[ -z "$(ls -A "$T/tmp")" ]
}
