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
	[[ $output == *CONNECTION*"null:bot/0 "*" live "*"identifies: "*" left of 1000"*"frames: 0"* && $output == *"standby"*"held by process"* ]]
	account acme shop
	run -0 p reload gatewayd@1
	run -0 p reload gatewayd@2
	wait_until 20 gateways shop live 'length == 1'
	wait_until 20 gateways shop standby 'length == 1'
	run -0 p status
	[[ $output == *"tenant: acme"* ]]
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
