# A gateway, alone or with a real hub and a real store.
#
#   gw_alone ARGS       gatewayd on a free port, events to $T/gw.out
#   gw_tree ARGS        route, store and gatewayd; gw_start ARGS the gateway of that tree only, on the same port as before
#   $URL                "http://127.0.0.1:PORT" without a slash at its end; $PORT
#   post TYPE BODY [CURL ARGS]    POST /events; $status_code and $body
#   raw TEXT            sends the bytes of printf TEXT, prints all that comes until the peer closes
#   spooled             the events in the hub's spool, one a line
#   pick TYPE [EXPR [N]]  of lines on stdin those of that type that fulfil EXPR (jq); none, perhaps, when fewer than N are of the type
#   chat_js CASE [ARGS] runs tests/browser/chat.mjs CASE against the gateway

gw_url() {
	wait_for "$T/gw.err" 'listening on http'
	URL=$(sed -nE 's/.*listening on (http[^ "]*)\/.*/\1/p' "$T/gw.err" | tail -n 1)
	PORT=${URL##*:}
}

gw_alone() {
	daemon_start gw gatewayd -p 0 "$@"
	gw_url
}

gw_hub() {
	mkdir -p "$T/run" "$T/history"
	[ -e "$T/rules" ] || cp "$ROOT/share/rules" "$T/rules"
	daemon_start route route -R "$T/run" -d "$T/spool" -r "$T/rules"
}

gw_store() { daemon_start store store -i "ipc://$T/run/to-store" -d "$T/history" -q "ipc://$T/run/query"; }

gw_start() {
	daemon_start gw gatewayd -p "${PORT:-0}" -o "ipc://$T/run/in" -b "ipc://$T/run/to-browser" -q "ipc://$T/run/query" "$@"
	gw_url
}

gw_tree() {
	gw_hub
	gw_store
	gw_start "$@"
}

post() {
	local type=$1 data=$2
	shift 2
	status_code=$(curl -s -m 20 -o "$T/body" -w '%{http_code}' -H "Content-Type: $type" --data-binary "$data" "$@" "$URL/events")
	body=$(cat "$T/body")
}

ONE=application/cloudevents+json
MANY=application/cloudevents-batch+json

raw() {
	local s
	exec {s}<>"/dev/tcp/127.0.0.1/$PORT"
	# shellcheck disable=SC2059
	printf "$1" >&"$s"
	timeout "${2:-10}" cat <&"$s" || true
	exec {s}>&-
}

# A jq takes long to begin: what is waited for and is not there yet begins none.
pick() {
	local lines
	lines=$(grep -F "\"type\":\"$1\"") || return 0
	[ "${3:-1}" -le 1 ] || [ "$(wc -l <<<"$lines")" -ge "$3" ] || return 0
	jq -c --arg t "$1" "select(.type == \$t and (${2:-true}))" <<<"$lines"
}

spooled() { cat "$T"/spool/*.ndjson | grep -v '^{"_commit"'; }

need_node() {
	[ -d "$ROOT/tests/browser/node_modules/ws" ] ||
		(cd "$ROOT/tests/browser" && flock package.json npm ci --no-audit --no-fund >/dev/null 2>&1)
}

chat_js() {
	need_node
	URL=$URL T=$T timeout 120 node "$ROOT/tests/browser/chat.mjs" "$@"
}
