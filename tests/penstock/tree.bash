# Trees for tests of penstock. D is the tree; p runs penstock on it.
#
#   tree_new             a whole tree on a free port ($PORT)
#   tree_small           a tree of route alone, with the rule "all -> store"
#   tree_up, tree_down   up -d and down; what is up when a test ends is stopped
#   p COMMAND ...        penstock -C $D COMMAND ...
#   service_pid NAME     service_is NAME STATE      accepted N: route has accepted so many lines
bats_require_minimum_version 1.5.0
D=$T/tree
PORT=
PORTS=()	# ours until the test's end
export PENSTOCK_SHARE=$ROOT/share
unset PENSTOCK_DIR

p() { penstock -C "$D" "$@"; }

# Below those that connections of others get; and ours until the test's end: another test's tree may not listen yet, or be down just now.
free_port() {
	local held
	while :; do
		PORT=$((20000 + RANDOM % 12000))
		! (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null || continue
		{ exec {held}>"/tmp/penstock-port.$PORT"; } 2>/dev/null || continue
		! flock -n "$held" || { PORTS+=("$PORT"); return 0; }
		exec {held}>&-
	done
}
ports_end() { [ ${#PORTS[@]} -eq 0 ] || rm -f "${PORTS[@]/#//tmp/penstock-port.}"; }

tree_new() {
	free_port
	penstock new "$D" --port "$PORT" >/dev/null
}

tree_small() {
	tree_new
	mkdir "$T/unused"
	mv "$D"/service/{store,analyze,respond,deliver,gatewayd} "$T/unused"
	echo 'all -> store' >"$D/etc/rules"
}

# Without the descriptors that bats waits for.
tree_up() { p up -d "$@" 3>&- 4>&-; }
tree_down() { p down >/dev/null; }
tree_end() {
	local bad=0
	[ ! -d "$D/service" ] || p down >/dev/null || bad=1
	daemons_end || bad=1
	ports_end
	return "$bad"
}
teardown() { tree_end; }

service_field() { p status --json | jq -r --arg n "$1" ".services[] | select(.name==\$n) | $2"; }
service_pid() { service_field "$1" '.pid // "none"'; }
service_is() { [ "$(service_field "$1" .state)" = "$2" ]; }
accepted() { [ "$(p status --json | jq .intake.accepted)" -ge "$1" ]; }
spooled() { cat "$D"/spool/*.ndjson | grep -v '^{"_commit"'; }
process_gone() { ! readlink "/proc/$1/exe" >/dev/null 2>&1; }	# a zombie is gone, too
