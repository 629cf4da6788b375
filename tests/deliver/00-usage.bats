load ../lib/daemon
load ../lib/line
bats_require_minimum_version 1.5.0

setup() { cd "$T"; }

@test "wrong usage ends with 2, help says what there is" {
	run -2 deliver extra
	run -2 deliver --give-up 0s
	run -2 deliver -p 0
	run -0 deliver --help
	[[ $output == *"--outbox FILE"* && $output == *"--accounts DIR"* ]]
	run -0 deliver --version
}

@test "-t names what is wrong with an account, and where" {
	mkdir -p a/t1
	printf 'platform = webhook\nurl = https://example.org/x\n' >a/t1/good.conf
	run -0 deliver -t -A a
	[[ $output == *"1 accounts in a are good"* ]]
	printf 'platform = webhook\nurl = gopher://example.org/\n' >a/t1/hook.conf
	printf 'platform = discord\ntoken-file = nowhere\n' >a/t1/dis.conf
	printf 'platform = twitch\nclient-id = c\nuser = bot\ntoken-file = tw.token\n' >a/t1/tw.conf
	printf 'platform = twitch\nclient-id = c\nuser = 1\nsend-unknown = perhaps\n' >a/t1/tw2.conf
	printf 'platform = webhook\nurl = https://example.org/x\nenabled = perhaps\n' >a/t1/on.conf
	run -1 deliver -t -A a
	[[ $output == *"hook.conf:2"*"https://"* ]]
	[[ $output == *"dis.conf"*"nowhere"* ]]
	[[ $output == *"tw.conf:3"*"number of the user"* ]]
	[[ $output == *"tw2.conf"*"again or never"* ]]
	[[ $output == *"on.conf:3"*"yes or no"* ]]
	[ "$(wc -l <<<"$output")" -eq 5 ]
}

@test "-t refuses a platform that is not there and names those that are, as gatewayd does; what is gatewayd's, or switched off, it leaves alone" {
	mkdir -p a/t1
	printf 'platform = irc\nserver = irc.example.org\nnick = x\n' >a/t1/irc.conf
	printf 'platform = discrod\nenabled = no\n' >a/t1/off.conf
	run -0 deliver -t -A a
	[[ $output == *"0 accounts in a are good"* ]]
	printf '# a bot\nplatform = discrod\ntoken-file = t\n' >a/t1/bot.conf
	run -1 deliver -t -A a -L text
	[[ $output == *"bot.conf:2: platform: there is no platform \"discrod\"; there are "* ]]
	platforms() { grep -o 'there are .*' | cut -d' ' -f3- | tr -d ' \n' | tr , '\n' | sort; }
	platforms <<<"$output" >ours
	grep -qx discord ours
	grep -qx webhook ours
	rm a/t1/irc.conf
	daemon_run gw gatewayd -a a -s s -o "ipc://$T/nowhere" -p 0 -L text
	wait_for gw.err 'there are .*'
	daemon_kill gw
	platforms <gw.err | diff - ours
	# It says so when it works, too
	deliver -A a -b box.db -L text </dev/null 2>err
	grep -q 'there is no platform "discrod"' err
	grep -q '0 accounts are in force, 1 are wrong and left out' err
}

@test "a secret that others may read is refused" {
	mkdir -p a/t1
	echo token >a/t1/tok
	chmod 644 a/t1/tok
	printf 'platform = discord\ntoken-file = tok\n' >a/t1/dis.conf
	run -1 deliver -t -A a
	[[ $output == *"tok"* ]]
	chmod 600 a/t1/tok
	run -0 deliver -t -A a
}

@test "one outbox, one deliver" {
	daemon_run one deliver -i ipc://"$T"/nowhere -o ipc://"$T"/nowhere -b box/out.db -A none
	wait_for one.err 'accounts are in force'
	# A filter passes on what is none of its business, and fails at what is
	event 1 chat.message '{}' >in
	deliver -b box/out.db -A none <in 2>err | cmp - in
	grep -q "another deliver (pid $(daemon_pid one)) has this outbox" err
	event 2 message.send '{"platform":"discord","channel":{"id":"1"},"text":"x"}' >>in
	run -1 deliver -b box/out.db -A none <in
	[[ $output == *"give this one its own"* ]]
	[ "$(stat -c %a box/out.db)" = 600 ]
	daemon_signal one TERM
	daemon_wait one
	[ "$status" -eq 0 ]
}
