# penstock spool, penstock ledger: the hub's files and its books, with the tree up and down.
load ../lib/daemon
load ../lib/line
load tree

setup() { tree_small; }

first() { p spool cursors --json | jq .low; }


@test "cat: all lines, from a number, since a time, those that match, and the files as they are" {
	tree_up
	events 1 50 1 | p send
	chat late "hello" | jq -c '.time="2030-01-01T00:00:00Z"' | p send
	accepted 51
	check() {
		p spool cat | cmp - <(events 1 50 1; chat late hello | jq -c '.time="2030-01-01T00:00:00Z"')
		[ "$(p spool cat --from $(($(first) + 40)) | wc -l)" -eq 11 ]
		[ "$(p spool cat --since 2029-12-31T23:59:59Z | ids)" = "" ]
		[ "$(p spool cat --since 1d | grep -c late)" -eq 1 ]
		[ "$(p spool cat --where 'id == "e-7"' | ids)" = e-7 ]
		p spool cat --commits | cmp - <(cat "$D"/spool/*.ndjson)
		run -2 p spool cat --since yesterday
		[[ "$output" == *"neither a time"* ]]
		run -2 p spool cat --where 'type =='
	}
	check
	tree_down
	check
}

@test "check: good, and each thing that is wrong by its name" {
	tree_up
	events 1 50 | p send
	accepted 50
	run -0 p spool check
	[[ "$output" == "1 segment, 50 lines from "*": good" ]]
	tree_down
	run -0 p spool check
	cp -a "$D/spool" "$T/whole"
	file=$(basename "$D"/spool/*.ndjson)
	again() { rm -rf "$D/spool" && cp -a "$T/whole" "$D/spool"; }
	# half a line at the end is no fault
	printf '{"spec' >>"$D/spool/$file"
	run -0 p spool check
	[[ "$output" == *"a write that did not end"*"good" ]]
	again
	printf X | dd of="$D/spool/$file" bs=1 seek=400 conv=notrunc status=none
	run -1 p spool check
	[[ "$output" == *"$file: bytes "*" a wrong checksum"*"damaged" ]]
	again
	rm "$D"/spool/rules/*
	run -1 p spool check
	[[ "$output" == *"its rules are not there"* ]]
	again
	echo 'all -> -> store' >"$(echo "$D"/spool/rules/*)"
	run -1 p spool check
	[[ "$output" == *"its rules cannot be read: "*"/rules/"*":1:8: expected a destination"*"damaged" ]]
	again
	: >"$D/spool/cursor/store"
	run -1 p spool check
	[[ "$output" == *"cursor/store: cannot be read"* ]]
	again
	head -c 1000 "$T/whole/$file" >"$D/spool/$file"
	run -1 p spool check
	[[ "$output" == *"a write that did not end"*"cursor/store: is at "*", and the last line is "*"damaged" ]]
	again
	printf '{"_commit":{"seq":7,"n":1,"bytes":2,"gen":1,"crc":"00000000"}}\n' >>"$D/spool/$file"
	run -1 p spool check
	rm -rf "$D/spool"
	run -1 p spool check
	[[ "$output" == *"there is no spool"* ]]
}

@test "cursors, cursor set, trim and the ledger" {
	tree_up
	events 1 20 1 | p send
	accepted 20
	at=$(first)
	run -0 p spool cursors
	[[ "${lines[1]}" == "store "*" $at "* ]]
	run -0 p spool cursor set store $((at + 5))
	[ "$output" = "store goes on with line $((at + 5)): 5 lines are skipped, 0 are delivered again" ]
	tree_down
	run -0 p spool cursor set store $((at + 2))
	[ "$output" = "store goes on with line $((at + 2)): 0 lines are skipped, 3 are delivered again" ]
	books='.destinations[0] | [.accepted, .delivered, .filtered, .dead, .pending, .shed, .adds_up]'
	[ "$(p ledger --json | jq -c "$books")" = "[23,0,0,0,18,5,true]" ]
	tree_up
	[ "$(p ledger --json | jq -c "$books")" = "[23,0,0,0,18,5,true]" ]
	run -0 p ledger
	[[ "${lines[1]}" == "store "*" 23 "*" yes" ]]
	run -0 p spool trim
	[[ "$output" == "0 segments removed"* ]]
}

@test "wrong usage" {
	run -2 p spool
	run -2 p spool nothing
	run -2 p spool cursor set store
	run -2 p spool trim --force
	run -2 p spool cursor set store x
	run -2 p spool check more
	run -2 p ledger more
	run -1 p spool cursor set nobody 5
}
