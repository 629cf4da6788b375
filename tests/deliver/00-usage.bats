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
	run -1 deliver -t -A a
	[[ $output == *"hook.conf:2"*"https://"* ]]
	[[ $output == *"dis.conf"*"nowhere"* ]]
	[[ $output == *"tw.conf:3"*"number of the user"* ]]
	[[ $output == *"tw2.conf"*"again or never"* ]]
	[ "$(wc -l <<<"$output")" -eq 4 ]
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
