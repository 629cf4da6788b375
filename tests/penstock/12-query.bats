load ../lib/daemon
load ../lib/line
load tree

# A tree of route and store.
setup() {
	tree_new
	mkdir "$T/unused"
	mv "$D"/service/{analyze,respond,deliver,gatewayd} "$T/unused"
	echo 'all -> store' >"$D/etc/rules"
	cd "$T"
}
teardown() { tree_end; }

stored() { [ "$(p query stats | jq -s 'map(.events) | add')" = "$1" ]; }

@test "what was sent is found again" {
	tree_up
	{
		chat m1 'hello there' ann lobby
		chat m2 'no way' bob lobby
		emotion m1 joy 0.9
		chat m3 'say "no way"' ann kitchen
		chat x1 'elsewhere' ann lobby t2
	} >in
	# Conversations have no order among them, unless one is acknowledged before the other is sent.
	head -n 3 in | p send
	tail -n +4 in | p send
	wait_until 20 stored 5
	[ "$(p query last lobby | ids | tr '\n' ' ')" = "m1 m2 m1.analyze " ]
	[ "$(p query last lobby -n 1 --type chat.message)" = "$(sed -n 2p in)" ]
	[ "$(p query last browser:kitchen)" = "$(sed -n 4p in)" ]
	[ "$(p query last --tenant t2)" = "$(sed -n 5p in)" ]
	[ "$(p query search no way | ids | tr '\n' ' ')" = "m2 m3 " ]
	[ "$(p query search no way --key kitchen)" = "$(sed -n 4p in)" ]
	[ "$(p query search 'hello OR say' --raw | wc -l)" -eq 2 ]
	[ "$(p query id m3)" = "$(sed -n 4p in)" ]
	[ "$(p query caused m1)" = "$(sed -n 3p in)" ]
	first=$(p query last --head | jq -s '.[0].seq[0]')
	[ "$(p query after "$first" lobby -n 1)" = "$(sed -n 2p in)" ]
	[ "$(p query after "$first" lobby -n 1 --all | wc -l)" -eq 2 ]
	[ "$(p query after 0 -n 1 -a)" = "$(head -n 4 in)" ]
	[ "$(p query stats -n 1 --all | jq -r .tenant | tr '\n' ' ')" = "default t2 " ]
	[ "$(p query last --before "$((first + 1))")" = "$(sed -n 1p in)" ]
	[ "$(p query '{"q":"id","id":"m2"}' --head | tail -n 1)" = "$(sed -n 2p in)" ]
	[ -z "$(p query last nowhere)" ]
	cmp in <(p export)
	cmp <(tail -n 1 in) <(p export --tenant t2)
	tree_down
	cmp in <(p export)
}

@test "wrong questions" {
	run -2 p query
	run -2 p query lsat
	[[ "$output" == *"lsat"* ]]
	run -2 p query id
	run -2 p query id a b
	run -2 p query after x
	run -2 p query last --all
	run -2 p query last lobby --key lobby
	run -2 p query last -n 1001
	run -2 p export more
	run -1 p query last
	[[ "$output" == *"run/query"* ]]
	run -1 p export --tenant t9
	[[ "$output" == *"t9"* ]]
	tree_up
	chat m1 hello | p send
	wait_until 20 stored 1
	run -1 p query last --tenant ../x
	[[ "$output" == *"tenant: must match"* ]]
	run -1 p query search '(' --raw
	[[ "$output" == *"syntax error"* ]]
	run -1 p query '{"q":"x"}'
	[[ "$output" == *"no question of this name"* ]]
	tree_down
}
