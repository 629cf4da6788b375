load ../lib/daemon
load tree

@test "new writes a tree with its port and commented configuration, and nothing into a folder that is not empty" {
	tree_new
	for f in etc/rules etc/gatewayd.conf etc/replies/default.conf etc/emotes.tsv \
		service/{route,store,analyze,respond,deliver,gatewayd}/{run,notification-fd}; do [ -s "$D/$f" ]; done
	for s in "$D"/service/*/run; do [ -x "$s" ] && sh -n "$s"; done
	grep -qx "port = $PORT" "$D/etc/gatewayd.conf"
	run ! grep -r '@PORT@' "$D"
	for f in "$D"/etc/*; do [ -d "$f" ] || grep -q '^#' "$f"; done
	run -1 penstock new "$D"
	[[ $output == *"not empty"* ]]
	mkdir "$T/full" && touch "$T/full/.hidden"
	run -1 penstock new "$T/full"
	[ "$(ls -A "$T/full")" = .hidden ]
	mkdir "$T/empty"
	run -0 penstock new "$T/empty"
	run -0 penstock new "$T/it's a tree"
	[ "$(sh -c "printf '%s:' ${output#*-C }")" = "$T/it's a tree:up:" ]
	run -0 penstock new "$T/plain"
	[[ $output == *"penstock -C $T/plain up" ]]
	touch "$T/file"
	run -1 penstock new "$T/file"
	PENSTOCK_SHARE=$T/none run -1 penstock new "$T/never"
	[[ $output == *"share/tree is not found"* ]]
	[ ! -e "$T/never" ]
}

@test "up -d returns when all is ready; status; down leaves nothing running" {
	tree_small
	run -0 tree_up
	[[ $output == "$D: up. Chat page: http://127.0.0.1:$PORT/" ]]
	pid=$(service_pid route)
	kill -0 "$pid"
	run -0 p status
	[[ $output == *"route "*"run "*"yes"* && $output == *DESTINATION* && $output == *"store "* ]]
	run -0 p status --json
	jq -e --arg d "$D" '.up and .dir == $d and (.services | length == 1) and .services[0].ready' <<<"$output"
	run -1 p up -d
	[[ $output == *"is up already (process $(p status --json | jq .supervise))"* ]]
	run -0 p down
	run ! kill -0 "$pid"
	run -1 p status --json
	jq -e '.up == false and .supervise == null' <<<"$output"
	[ -z "$(find "$D" -type s)" ]
}

@test "up in the foreground: prints the address when ready, messages on stderr, ^C ends it with 0" {
	tree_small
	daemon_run up penstock -C "$D" up
	wait_for "$T/up.out" "up. Chat page: http://127.0.0.1:$PORT/"
	wait_for "$T/up.err" '"prog":"route"'
	[ "$(p status --json | jq .supervise)" = "$(daemon_pid up)" ]
	daemon_stop up INT
	[ ! -e "$D/log/penstock.log" ]
}

@test "a whole tree starts and stops without a warning" {
	tree_new
	daemon_run up penstock -C "$D" up
	wait_for "$T/up.out" "up. Chat page: "
	run ! grep -E '"level":"(warn|error)"' "$T/up.err"
	daemon_stop up
	grep -q '"prog":"route".*stopping' "$T/up.err"
	# All are told to end at once: one may see another gone before it hears of it.
	grep -E '"level":"(warn|error)"' "$T/up.err" >"$T/bad" || true
	run ! grep -vE '(connection closed by the other side|nobody listens there \(No such file or directory\)); trying again"' "$T/bad"
}

@test "start, stop, restart and reload a service" {
	tree_small
	tree_up
	old=$(service_pid route)
	run -0 p restart route
	new=$(service_pid route)
	[ "$old" != "$new" ]
	run -0 p stop route
	service_is route down
	run ! kill -0 "$new"
	run -1 p status
	run -0 p reload route
	[[ $output == "route: is not running: "*"from its start on" ]]
	run -0 timeout 20 penstock -C "$D" flag on early
	[[ $output == "route is not running: in force from its start on" ]]
	cp "$D/etc/rules" "$T/rules"
	echo 'all -> -> store' >"$D/etc/rules"
	run -1 p start route
	[[ $output == *"route: does not stay up: last exit: code 1, and it said:"*"etc/rules:1:8: expected a destination"* ]]
	cp "$T/rules" "$D/etc/rules"
	run -0 p start route
	[[ $output != *"expected"* ]]
	run -0 p flag
	[[ $output == "early on"* ]]
	run -0 p status
	echo 'all -> store, other' >"$D/etc/rules"
	run -0 p reload route
	has_dest() { p status --json | jq -e '.destinations[] | select(.name == "other")' >/dev/null; }
	wait_until 5 has_dest
	run -1 p restart nobody
	[[ $output == *"nobody: no such service"* ]]
}

@test "everything a running tree writes lies under it" {
	tree_small
	touch "$T/before"
	tree_up
	p send --text hello
	tree_down
	run find "$T" -newer "$T/before" -not -path "$D/*" -not -path "$D" -type f -not -name '.*'
	[ "$(grep -v before <<<"$output")" = "" ]
	[ -n "$(find "$D" -newer "$T/before" -name '*.ndjson')" ]
}

@test "a tree may be moved while it is down, and lie deeper than a socket's name may be long" {
	tree_small
	deep=$T/$(printf 'deep%.0s' {1..30})/$(printf 'er%.0s' {1..30})
	mkdir -p "$(dirname "$deep")"
	mv "$D" "$deep"
	D=$deep
	tree_up
	run -0 p send --text hello
	tree_down
	spooled | grep -q hello
}
