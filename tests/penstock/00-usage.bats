load ../lib/daemon
load tree

@test "help lists the commands, each answers --help, outside of any tree" {
	cd "$T"
	run -0 penstock help
	help=$output
	run -0 penstock --help
	[ "$output" = "$help" ]
	cmds=$(sed -nE 's/^  ([a-z]+)  .*/\1/p' <<<"$help")
	[ "$(wc -w <<<"$cmds")" -ge 12 ]
	for c in $cmds; do
		run -0 penstock "$c" --help
		[[ $output == *[Uu]sage* || $c == version ]]
	done
	run -0 penstock version
	[[ $output == "penstock "[0-9]* ]]
	run -0 penstock -V
}

@test "wrong usage exits 2 and says what would be right" {
	run -2 penstock
	[[ $output == *usage* ]]
	run -2 penstock nonsense
	[[ $output == *"no such command"* ]]
	run -2 penstock -C
	run -2 penstock new
	[[ $output == *"name the folder"* ]]
	run -2 penstock new "$D" --port 0
	run -2 penstock new "$D" --port 65536
	[ ! -e "$D" ]
	run -2 penstock send --no-such
	run -2 penstock send --text a file
	run -2 penstock restart
	run -2 penstock restart ../x
	run -2 penstock up now
}

@test "no tree: the message names the place and the way out" {
	cd "$T"
	for c in up down status tail; do
		run -1 penstock "$c"
		[[ $output == *"the current directory holds no tree"*"penstock new"* ]]
	done
	run -1 penstock -C "$T/none" status
	[[ $output == *"-C: $T/none holds no tree"* ]]
	PENSTOCK_DIR=$T/other run -1 penstock status
	[[ $output == *"PENSTOCK_DIR: $T/other holds no tree"* ]]
}

@test "the tree is -C, else PENSTOCK_DIR, else the current directory" {
	tree_small
	run -1 p status
	[[ ${lines[0]} == "tree $D, supervise down" ]]
	PENSTOCK_DIR=$D run -1 penstock status
	[[ ${lines[0]} == "tree $D, "* ]]
	cd "$D"
	run -1 penstock status
	[[ ${lines[0]} == "tree $D, "* ]]
	cd "$T"
	PENSTOCK_DIR=$T/none run -1 penstock -Ctree status
	[[ ${lines[0]} == "tree $D, "* ]]
}

@test "what is of a running tree only says that it is down" {
	tree_small
	run -1 p restart route
	[[ $output == *"is down"* ]]
	run -0 p down
	[[ $output == *"is down"* ]]
	run -1 p send --wait 200ms --text hello
	[[ $output == *"it is not there"* ]]
}

@test "scripts take no argument they do not know, and tell how they are used" {
	for s in run bench; do
		for word in --help -h; do
			run -0 --separate-stderr "$ROOT/scripts/$s" "$word"
			[[ $output == "usage: scripts/$s "* ]]
		done
		run -2 --separate-stderr "$ROOT/scripts/$s" --no-such-option
		[[ $output == "" && $stderr == *"usage: scripts/$s "* ]]
	done
	run -2 --separate-stderr "$ROOT/scripts/run" "$T/one" two
	[[ $output == "" && $stderr == "usage: scripts/run "* && ! -e $T/one ]]
	run -2 --separate-stderr "$ROOT/scripts/bench" intake extra
	[[ $output == "" && $stderr == "bench: extra: no such part; there are: "* ]]
	run -2 "$ROOT/scripts/bench" -n 5
	[[ $output == "bench: -n 5: at least "* ]]
	run -2 "$ROOT/scripts/bench" -n many
	[[ $output == "bench: -n many: a number is wanted" ]]
	for part in "$ROOT"/tests/bench/parts/*.bash; do
		part=${part##*/}
		"$ROOT/scripts/bench" --help | grep -q "^  ${part%.bash} .*[a-z]"
	done
	run -2 --separate-stderr "$ROOT/scripts/deps" extra
	[[ $output == "" && $stderr == "usage: scripts/deps "* ]]
	B=$T/none run -1 "$ROOT/scripts/check-man"
	[[ $output == *"is not built: run make unit first" && ${#lines[@]} -eq 1 ]]
}
