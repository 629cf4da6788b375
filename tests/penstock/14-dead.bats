# penstock dead: what a person does with lines that a destination could not take.
load ../lib/daemon
load ../lib/line
load tree
load tabs

refuser() { python3 "$BATS_TEST_DIRNAME/../route/refuser.py" "$D/run/to-store" "$@"; }
number() { p dead list --json -w "id == \"$1\"" | jq .seq; }
letters() { [ "$(p status --json | jq '.destinations[] | select(.name == "store") | .letters')" = "$1" ]; }

some_dead() {
	tree_small
	tree_up
	for i in 1 2 3; do event "x$i" t "{\"n\":$i}"; done | p send
	refuser 3
	wait_until 10 letters 3
}

@test "status counts them, list and show say what they are" {
	some_dead
	run -0 p status
	[[ "$output" == *DESTINATION*DEAD*store*" 3 "* ]]
	run -0 --separate-stderr p dead list
	[ "${#lines[@]}" = 4 ]
	[ "$(p dead list -w 'data.n == 2' --json | jq -r '[.dest,.id,.attempts] | join(" ")')" = "store x2 1" ]
	run -0 p dead show "$(number x2)"
	[[ "$output" == *'error        no: "x2"'*Traceback*'"n": 2'* ]]
	tree_down
	[ "$(p dead list --json | wc -l)" = 3 ]
}

@test "edit, and retry: the repaired event goes to its destination, and the letter is gone" {
	some_dead
	# What could not be used is kept beside those of others.
	mkdir "$T/edits"
	export TMPDIR=$T/edits
	n=$(number x1)
	[ "$(tabs <<<"penstock -C $D dead edit $n")" = "penstock -C $D dead edit $n " ]
	EDITOR='sed -i s/\"n\":.1/\"n\":11/' run -0 p dead edit "$n"
	[[ "$output" == *"edited; "* ]]
	EDITOR=true run -0 p dead edit "$n"
	[[ "$output" == *unchanged* ]]
	EDITOR=false run -1 p dead edit "$n"
	EDITOR='sed -i s/x1/y1/' run -1 p dead edit "$n"
	[[ "$output" == *"--new-id"*"your text is in "* ]]
	EDITOR='sed -i s/x1/y1/' run -0 p dead edit --new-id "store:$n"
	EDITOR='sed -i s/specversion/x/' run -1 p dead edit "$n"
	[[ "$output" == *"the event: "* ]]
	run -0 p dead retry "$n"
	[[ "$output" == *"retried 1 dead letter" ]]
	wait_until 10 letters 2
	refuser 1 > "$T/got"
	[ "$(spooled | sed -n 's/^{"_again":.*,"event":\(.*\)}$/\1/p' | jq -c '[.id,.data.n]')" = '["y1",11]' ]
}

@test "retry --through shows what a repaired program would say, and sends nothing" {
	some_dead
	run -0 --separate-stderr p dead retry --all --through 'jq -c ".data.n + 100"' --dry-run
	# Letters are in the order in which their lines died; these are of conversations that do not wait for each other.
	[ "$(sort <<<"$output")" = $'101\n102\n103' ]
	[[ "$stderr" == *"exit code 0; nothing was sent"* ]]
	run -1 --separate-stderr p dead retry -w 'data.n == 2' --through 'cat; exit 3' --dry-run
	[ "$(jq -r .id <<<"$output")" = x2 ]
	[[ "$stderr" == *"exit code 3"* ]]
	run -0 p dead retry --all --through 'head -n 1' --dry-run
	run -2 p dead retry --all --through cat
	[ "$(p dead list --json | wc -l)" = 3 ]
	[ "$(spooled | grep -c _again)" = 0 ]
}

@test "drop, up and down; what is not there is named; wrong usage is" {
	some_dead
	run -0 p dead drop "$(number x1)"
	run -1 p dead drop 99 "$(number x2)"
	[[ "$output" == *"99: there is no such dead letter"* ]]
	run -1 p dead list nosuch
	[ "$output" = "penstock dead: error: nosuch: there is no such destination" ]
	wait_until 10 letters 1
	tree_down
	run -1 p dead retry --all
	[[ "$output" == *"route does not run"* ]]
	run -0 p dead drop -y --all
	[ -z "$(p dead list)" ]
	run -2 p dead
	run -2 p dead bury
	run -2 p dead drop
	run -2 p dead edit
	run -0 penstock dead --help
	run -2 p dead list -w "data.n >"
	[[ "$output" == *"(penstock dead --help lists the options)" ]]
	# The destination is known, also without a letter.
	run -0 p dead list store
}
