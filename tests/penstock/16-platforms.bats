bats_require_minimum_version 1.5.0
load ../lib/daemon
load tree

feed_start() {
	mkdir -p "$T/feed"
	export PYTHONDONTWRITEBYTECODE=1
	daemon_start feeds "$ROOT/tests/gatewayd/feed.py" "$T/feed"
	FEED=$(<"$T/feed/port")
}
account() {
	mkdir -p "$D/etc/accounts/$1"
	printf '%s\n' "platform = null" "url = ws://127.0.0.1:$FEED/$2" "${@:3}" >"$D/etc/accounts/$1/$2.conf"
}
gateways() { p status --json | jq -e --arg a "$1" "[.gateways[] | .service as \$s | .accounts[] | select(.account == \$a) | .connections[] | select(.state == \"$2\") | \$s] | $3"; }

status_says() { p status | grep -E -e "$1"; }

@test "a tree's accounts: status tells of them, reload takes new ones, drain hands them from one gateway to the other" {
	local from
	feed_start
	tree_new
	mkdir "$T/unused"
	mv "$D"/service/{store,analyze,respond,deliver} "$T/unused"
	echo 2 >"$D/service/gatewayd/instances"
	account default bot "connections = 3" "identify = yes"
	tree_up
	wait_until 20 gateways bot live 'length == 3'
	wait_until 20 gateways bot standby 'length == 3'
	run -0 p status
	[[ $output == *CONNECTION*"null:bot/0 "*" live "*"identifies: "*" left of 1000"*"    frames 0"* && $output == *"standby"*"held by process"* ]]
	account acme shop
	run -0 p reload gatewayd@1
	run -0 p reload gatewayd@2
	wait_until 20 gateways shop live 'length == 1'
	wait_until 20 gateways shop standby 'length == 1'
	run -0 p status
	[[ $output == *"tenant: acme"* ]]
	# What is wrong with a file is told by reload and by status; the others are not touched.
	account acme bad "tokn = x" "identify = maybe"
	run -1 p reload gatewayd@1 gatewayd@2
	[[ $output == *"etc/accounts/acme/bad.conf:3: nothing knows the word \"tokn\""* && $output == *"etc/accounts/acme/bad.conf:4: identify: \"maybe\": want yes or no"* ]]
	[ "$(grep -c 'acme/bad.conf: the account is left out' <<<"$output")" = 2 ]
	run -1 p status
	[[ $output == *"gatewayd@1, when it read the accounts:"*"  warning: etc/accounts/acme/bad.conf:3: "*"  etc/accounts/acme/bad.conf:4: "*"penstock reload gatewayd@1"* ]]
	run -1 p status --json
	jq -e '.gateways | length == 2 and all(.faults | length == 3 and .[0].level == "warn" and .[1].level == "error")' <<<"$output"
	run -0 p restart gatewayd@2
	[[ $output == *"gatewayd@2: not all is well with its accounts"*"etc/accounts/acme/bad.conf:4: identify: "* ]]
	rm "$D/etc/accounts/acme/bad.conf"
	# What stops, and what cannot be reached: where, since when and why.
	printf '%s\n' 'platform = irc' 'server = irc://127.0.0.1:1' 'nick = n' 'channels = "#a"' >"$D/etc/accounts/acme/gone.conf"
	run -0 p reload gatewayd@1 gatewayd@2
	[ -z "$output" ]
	wait_until 20 status_says '^irc:gone/0 +waiting .* lost [0-9]+s ago: Connection refused'
	rm "$D/etc/accounts/acme/gone.conf"
	run -0 p reload gatewayd@1 gatewayd@2
	from=$(gateways bot live '.[0]' | tr -d '"')
	run -0 p drain --account bot "$from"
	[ "$output" = "$from: 3 connections handed over" ]
	gateways bot live "length == 3 and all(. != \"$from\")"
	gateways bot standby "length == 3 and all(. == \"$from\")"
	run -1 p drain --account bot "$from"
	[[ $output == *"$from: it holds no connection of it"* ]]
	run -1 p drain route
	[[ $output == *"route: does not answer"* ]]
	run -2 p drain
	tree_down
	[ ! -e "$D/run/gatewayd@1.ctl" ]
	grep -q '^free' "$D/state/gatewayd/default/bot/leases"
}

@test "accounts that deliver leaves out, or says nothing with any more: status tells of them until their files change; and of channels that refuse" {
	tree_new
	mkdir "$T/unused"
	mv "$D"/service/{store,analyze,respond,gatewayd} "$T/unused"
	echo 'type == "message.send" -> deliver' >"$D/etc/rules"
	daemon_run hook python3 "$ROOT/tests/deliver/hook.py" "$T/got"
	wait_for "$T/hook.out" '^[0-9]+$'
	mkdir -p "$D/etc/accounts/default"
	printf '%s\n' 'platform = webhook' "url = http://127.0.0.1:$(<"$T/hook.out")/410" 'allow-private = yes' >"$D/etc/accounts/default/h.conf"
	printf '%s\n' 'platform = webhook' 'url = nowhere' >"$D/etc/accounts/default/bad.conf"
	# One of Discord's, by its form: what refuses there counts
	sed 's|/410|/api/webhooks/12/403|' "$D/etc/accounts/default/h.conf" >"$D/etc/accounts/default/r.conf"
	tree_up
	for i in r1 r2 r3; do
		p send <<<'{"specversion":"1.0","id":"'"$i"'","source":"/t","type":"message.send","data":{"platform":"webhook","account":"r","channel":{"id":"x"},"text":"hi"}}'
	done
	p send <<<'{"specversion":"1.0","id":"1","source":"/t","type":"message.send","data":{"platform":"webhook","account":"h","channel":{"id":"x"},"text":"hi"}}'
	wait_until 20 status_says '^deliver says nothing with account default/h: its address is gone'
	wait_until 20 status_says "^1 channel refuses what deliver says with account default/r"
	run -1 p status
	[[ $output == *"deliver leaves out 1 account, whose file is wrong"*"penstock reload deliver"* ]]
	run -1 p status --json
	jq -e '.deliver == {"stopped": [{"account": "default/h", "cause": "gone"}], "stopped_accounts": 1, "bad_accounts": 1,
		"refusing": [{"account": "default/r", "channels": 1}], "refusing_channels": 1}' <<<"$output"
	# A restart does not forget it; a change of the file does
	p restart deliver
	status_says '^deliver says nothing with account default/h: its address is gone'
	sed -i 's|/410|/ok|' "$D/etc/accounts/default/h.conf"
	rm "$D/etc/accounts/default/bad.conf"
	p reload deliver
	# A channel that refuses is no fault of the tree's
	wait_until 20 p status
	status_says "^1 channel refuses what deliver says with account default/r"
	tree_down
	daemon_kill hook
}
