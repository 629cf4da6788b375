# Rules of a running tree: reload that answers, hits, flags.
load ../lib/daemon
load tree

@test "reload route says the generation and the line, or the place of the fault and 1" {
	tree_small
	tree_up
	printf 'all -> store\ntype == "chat.message" -> store stop\nall -> other\n' >"$D/etc/rules"
	run -0 p reload route
	[[ $output == "route: generation 2 in force from line "* ]]
	run -0 p reload route
	[ "$output" = "route: unchanged (generation 2)" ]
	printf 'all -> store stop\nall -> other\n' >"$D/etc/rules"
	run -0 p reload route
	[[ $output == *"etc/rules:2: this rule is never reached: line 1 "* ]]
	echo 'all > store' >"$D/etc/rules"
	run -1 p reload route
	[[ $output == *"route: etc/rules:1:5: expected"* ]]
	run -0 p rules
	[[ $output == *"all -> store stop"* ]]
}

@test "rules tells how many lines each rule held for" {
	tree_small
	tree_up
	p send --text hello
	run -0 p rules --json
	jq -e '.rules[0].hits == 1' <<<"$output"
	run -0 p rules
	[[ ${lines[0]} == *hits*line*rule* ]]
	[[ $output == *"           1 "*" all -> store"* ]]
	run -2 p rules x
}

@test "flag turns flags on and off at once, and lists them" {
	tree_small
	printf 'all -> store\nflag beta -> new\n' >"$D/etc/rules"
	run -0 p flag on early
	[[ $output == *"down"* ]]
	tree_up
	run -0 p flag
	[ "$output" = $'early on (no rule asks for it)\nbeta off' ]
	run -0 p flag on beta early
	[[ $output == *"generation 2 in force from line "* && $output == *"no rule asks for a flag early"* ]]
	run -0 p flag off never
	[[ $output == *"never was off"* && $output == *"no rule asks for a flag never"* ]]
	run -0 p flag
	[ "$output" = $'early on (no rule asks for it)\nbeta on' ]
	printf '# since Monday\nbeta # ask Ann\n' >"$D/etc/flags"
	run -0 p flag off beta
	[[ $output == *"generation 3 in force"* ]]
	[ "$(<"$D/etc/flags")" = "# since Monday" ]
	run -2 p flag on 'a b'
	run -2 p flag maybe x
	run -2 p flag on
}
