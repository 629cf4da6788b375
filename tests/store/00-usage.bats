load store

@test "help, version" {
	run -0 store --help
	[[ "$output" == *"--query"* ]]
	run -0 store -V
	[[ "$output" == *"$(cat "$ROOT/VERSION")"* ]]
}

@test "wrong use is code 2 and names the option" {
	run -2 store
	[[ "$output" == *"-d"* ]]
	run -2 store -d h -x --check
	[[ "$output" == *"not both"* ]]
	run -2 store -d h -T t1
	[[ "$output" == *"-T"* ]]
	run -2 store -d h more
	[[ "$output" == *"more"* ]]
	run -2 store -d h -n 0
	[ ! -e h ]
}

@test "a folder that cannot be" {
	: >file
	run -1 store -d file/h </dev/null
	[[ "$output" == *"file/h"*"Not a directory"* ]]
	run -1 store -x -d nowhere
	[[ "$output" == *"nowhere"*"No such file"* ]]
	run -1 store -d h -q "ipc://$T/no/such/socket" </dev/null
	[[ "$output" == *"no/such/socket"* ]]
}
