# gatewayd against the lab's Discord (tests/peers/lab), with a real hub.
#
#   bot_start [LAB OPTIONS]   the lab, route, gatewayd with the lab's bot; returns when the bot is up. BOT: lines for its account file
#   bot_lab [LAB OPTIONS]     all of it but gatewayd
#   bot_gw                    gatewayd of it again, after a kill
#   lab PATH [JSON]           the lab's control API; lab_wait KIND COUNT [WORDS]: until its books have so many; lab_books KIND [WORDS]: entries, one a line
#   fault SCRIPT              arms faults
#   say TEXT [COUNT [CHANNEL]]  ada says it in general; channels N makes c0 to cN-1, of a shard each
#   events [TYPE]             lines in the hub's spool;  texts: what was said in them, in order
#   wait_events TYPE COUNT    until there are so many

load "$BATS_TEST_DIRNAME/../lib/daemon"
load "$BATS_TEST_DIRNAME/gateway"
load "$BATS_TEST_DIRNAME/../lab/lab"

# The gateway before its hub: what it still has to hand in it can.
eval "lab_$(declare -f teardown)"
teardown() {
	local name
	for name in gw two; do
		[ -z "${DAEMON_PID[$name]:-}" ] || daemon_stop "$name"
	done
	lab_teardown
}

lab() { curl -sS -m 30 ${2+-d "$2"} "$LAB/lab/$1"; }
lab_books() { lab "journal?kind=$1${2:+&$2}" | jq -c '.entries[]'; }
_books_have() { [ "$(lab_books "$1" "${3:-}" | wc -l)" -ge "$2" ]; }
lab_wait() { wait_until 20 _books_have "$@"; }
fault() { curl -sS -m 10 --data-binary "$1" "$LAB/lab/fault" >/dev/null; }
say() { lab say "$(jq -nc --arg t "$1" --argjson n "${2:-1}" --arg c "${3:-general}" '{channel: $c, user: "ada", text: $t, count: $n}')" >/dev/null; }
# A channel for each shard, c0 c1 ...
channels() { # SHARDS
	local i
	for ((i = 0; i < $1; i++)); do
		printf 'next\nurl = "%s"\ndata = "%s"\n' "$LAB/lab/discord/guild" \
			"{\\\"name\\\":\\\"g$i\\\",\\\"channels\\\":[\\\"c$i\\\"],\\\"bots\\\":[\\\"penstock\\\"],\\\"shard\\\":$i,\\\"of\\\":$1}"
	done | tail -n +2 | curl -sS -m 30 -K - >/dev/null
}

events() { if [ -n "${1:-}" ]; then spooled | pick "$@"; else spooled | jq -c .; fi; }
texts() { events chat.message | jq -r .data.text; }
_events_have() { [ "$(events "$1" true "$2" | wc -l)" -ge "$2" ]; }
wait_events() { wait_until 60 _events_have "$1" "$2"; }

bot_gw() {
	daemon_start gw gatewayd -p 0 -o "ipc://$T/run/in" -a "$T/accounts" -s "$T/state" --control "ipc://$T/run/gw" "$@"
	gw_url
}

bot_lab() {
	lab_start -q "$@"
	mkdir -p "$T/accounts/default"
	cp "$T"/lab/accounts/default/lab-discord.* "$T/accounts/default/"
	printf '%s\n' "${BOT:-}" >>"$T/accounts/default/lab-discord.conf"
	gw_hub
}

bot_start() {
	bot_lab "$@"
	bot_gw
	wait_events gateway.up "${SHARDS:-1}"
}

# No rule of the platform was broken.
well_behaved() { [ "$(lab violations | jq -c .violations)" = "[]" ] || { lab violations >&2; return 1; }; }
