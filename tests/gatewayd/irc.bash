# The servers that tests of IRC connect to, as Debian has them (scripts/deps test unpacks them into build/peers).
#
#   inspircd_start [LINE...]  InspIRCd: IRCv3 with echo-message, message-tags, server-time, labeled-response; $IRC its port, $IRCS that of TLS
#                          ($T/irc.pem its certificate). LINEs are for its configuration
#   services_start         InspIRCd and Anope's services beside it, so that people register (with NickServ) and log in by SASL
#   ngircd_start           ngIRCd, an old one: nothing but multi-prefix; the password is "letmein"
#   irc_person NAME LINE...   somebody with a connection of their own: logs in as NAME, says the LINEs (IRC, as they are);
#                          irc_says NAME LINE adds one, $T/NAME.irc is what they hear
#   irc_account [LINE...]  the account $T/accounts/default/irc.conf
#   irc_gw [ARGS]          gatewayd with the accounts, on the hub; says lines of the hub's destination "say"
#   irc_rules              the rules with a destination for what is said on IRC
#   say_on CHANNEL TEXT    a line message.send goes to the hub
#   wait_events TYPE COUNT [JQ]   until the hub keeps so many lines of the type (for which JQ is true)
load "$BATS_TEST_DIRNAME/../lib/daemon"
load "$BATS_TEST_DIRNAME/../lib/unit"
load "$BATS_TEST_DIRNAME/gateway"

# People leave first: they end by themselves when their server does. InspIRCd crashes in its own shutdown when it is told to stop.
teardown() {
	local name bad=0
	for name in "${!DAEMON_PID[@]}"; do
		[[ $name != person-* && $name != gw ]] || daemon_stop "$name" || bad=1
	done
	[ -z "${DAEMON_PID[irc]:-}" ] || daemon_kill irc 2>/dev/null
	[ -z "${DAEMON_PID[services]:-}" ] || daemon_kill services 2>/dev/null
	[ ! -s "$T/lab.err" ] || { cat "$T/lab.err" >&2; bad=1; }
	daemons_end && [ "$bad" = 0 ]
}

_irc_path=$PATH:/usr/sbin:${B:-$ROOT/build}/peers/usr/sbin:$ROOT/build/peers/usr/sbin

_irc_server() { # PROGRAM
	local found
	found=$(PATH=$_irc_path command -v "$1") || { echo "no $1: scripts/deps test" >&2; return 1; }
	echo "$found"
}

# A port nobody has: the kernel gives one, and gives it to nobody else for a while.
_irc_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

_irc_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

inspircd_start() {
	local server modules
	server=$(_irc_server inspircd)
	modules=${server%/usr/sbin/inspircd}/usr/lib/inspircd/modules
	mkdir -p "$T/irc"
	IRC=${IRC:-$(_irc_port)} IRCS=${IRCS:-$(_irc_port)}
	[ -e "$T/irc.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=irc.test \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$T/irc.key" -out "$T/irc.pem" 2>/dev/null
	cat >"$T/irc/inspircd.conf" <<-END
		<path configdir="$T/irc" datadir="$T/irc" logdir="$T/irc" moduledir="$modules" runtimedir="$T/irc">
		<server name="irc.test" description="test" network="Test" id="0AA">
		<admin name="a" nick="a" email="a@localhost">
		<bind address="127.0.0.1" port="$IRC" type="clients">
		<bind address="127.0.0.1" port="$IRCS" type="clients" sslprofile="own">
		<sslprofile name="own" provider="gnutls" certfile="$T/irc.pem" keyfile="$T/irc.key">
		<connect allow="*" timeout="20" pingfreq="60" globalmax="500" localmax="500" useident="no" resolvehostnames="no"
			threshold="1000" commandrate="100000" fakelag="no">
		<performance nouserdns="yes">
		<log method="stderr" type="* -USERINPUT -USEROUTPUT" level="default">
		<module name="cap"> <module name="ircv3"> <module name="ircv3_batch"> <module name="ircv3_ctctags"> <module name="ircv3_echomessage">
		<module name="ircv3_servertime"> <module name="ircv3_msgid"> <module name="ircv3_accounttag"> <module name="services_account">
		<module name="namesx"> <module name="ssl_gnutls"> <module name="ircv3_capnotify"> <module name="ircv3_labeledresponse">
	END
	[ $# = 0 ] || printf '%s\n' "$@" >>"$T/irc/inspircd.conf"
	daemon_run irc "$server" --nofork --runasroot --config "$T/irc/inspircd.conf"
	wait_until 20 _irc_answers "$IRC"
}

# Anope links with InspIRCd 3 (Debian 12) and 4 (Debian 13). Run as root it warns of that, and waits for 3 s.
services_start() {
	local server link
	server=$(_irc_server anope)
	link=$(_irc_port)
	inspircd_start "<bind address=\"127.0.0.1\" port=\"$link\" type=\"servers\">" '<module name="spanningtree"> <module name="sasl"> <module name="hidechans">' \
		'<sasl target="services.test" requiressl="no"> <uline server="services.test" silent="yes"> <options casemapping="ascii">' \
		'<link name="services.test" ipaddr="127.0.0.1" port="1" allowmask="127.0.0.0/8" sendpass="link" recvpass="link">'
	mkdir -p "$T/services"
	cat >"$T/services/services.conf" <<-END
		serverinfo { name = "services.test"; description = "test"; pid = "$T/services/pid"; motd = "/dev/null"; }
		uplink { host = "127.0.0.1"; port = $link; password = "link"; }
		networkinfo { networkname = "Test"; nicklen = 30; userlen = 10; hostlen = 64; chanlen = 64; }
		options { casemap = "ascii"; seed = 1; readtimeout = 1s; timeoutcheck = 1s; retrywait = 1s; warningtimeout = 4h; updatetimeout = 5m;
			expiretimeout = 30m; }
		mail { usemail = no; }
		service { nick = "NickServ"; user = "services"; host = "services.test"; gecos = "names"; }
		command { service = "NickServ"; name = "REGISTER"; command = "nickserv/register"; }
		module { name = "inspircd3"; }
		module { name = "enc_sha256"; }
		module { name = "nickserv"; client = "NickServ"; passlen = 32; }
		module { name = "ns_register"; registration = "none"; }
		module { name = "m_sasl"; }
	END
	daemon_run services "$server" --confdir="$T/services" --dbdir="$T/services" --logdir="$T/services" --localedir="$T/services" \
		--modulesdir="${server%/sbin/anope}/lib/anope" --nofork
	wait_for "$T/services.out" "SERVER: services.test .* is done syncing"
}

ngircd_start() {
	local server
	server=$(_irc_server ngircd)
	mkdir -p "$T/irc"
	IRC=${IRC:-$(_irc_port)}
	printf '%s\n' '[Global]' 'Name = irc.test' 'Info = test' 'Listen = 127.0.0.1' "Ports = $IRC" 'Password = letmein' 'AdminInfo1 = a' \
		'[Limits]' 'MaxConnections = 0' 'MaxConnectionsIP = 0' 'MaxNickLength = 30' 'MaxPenaltyTime = 0' 'PingTimeout = 60' 'PongTimeout = 20' \
		'[Options]' 'DNS = no' 'Ident = no' 'PAM = no' >"$T/irc/ngircd.conf"
	LD_LIBRARY_PATH=${server%/usr/sbin/ngircd}/usr/lib/$(uname -m)-linux-gnu daemon_run irc "$server" -n -f "$T/irc/ngircd.conf"
	wait_until 20 _irc_answers "$IRC"
}

irc_person() {
	local name=$1
	shift
	mkfifo "$T/$name.say"
	daemon_run "person-$name" python3 "$BATS_TEST_DIRNAME/irc_person.py" "$IRC" "$name" "$T/$name.say" "$T/$name.irc"
	wait_for "$T/$name.irc" ' (376|422) '
	local line
	for line; do irc_says "$name" "$line"; done
}

irc_says() { printf '%s\n' "$2" >"$T/$1.say"; }

irc_account() {
	mkdir -p "$T/accounts/default" "$T/state"
	printf '%s\n' 'platform = irc' 'nick = pen' 'channels = "#lobby"' "$@" >"$T/accounts/default/irc.conf"
	chmod 600 "$T/accounts/default/irc.conf"
}

irc_rules() {
	cat "$ROOT/share/rules" - >"$T/rules" <<<'type == "message.send" and data.platform == "irc" -> say'
}

irc_gw() {
	daemon_start gw gatewayd -p 0 -o "ipc://$T/run/in" -w "ipc://$T/run/to-say" -a "$T/accounts" -s "$T/state" --control "ipc://$T/run/gw" "$@"
	gw_url
}

# With an id of its own each time.
SAID=0
say_on() {
	SAID=$((SAID + 1))
	jq -nc --arg id "say-$SAID" --arg to "$1" --arg text "$2" '{specversion: "1.0", id: $id, source: "/test", type: "message.send", tenant: "default",
		partitionkey: ("irc:" + $to), data: {platform: "irc", channel: {id: $to}, text: $text}}' |
		curl -sSf -m 20 -o "$T/put" -H "Content-Type: application/cloudevents+json" --data-binary @- "$URL/events"
}

events() { spooled 2>/dev/null | pick "$@"; }
_events_have() { [ "$(events "$1" "${3:-true}" "$2" | wc -l)" -ge "$2" ]; }
wait_events() { wait_until 20 _events_have "$@"; }
irc_status() { "$P" ask "ipc://$T/run/gw" '{"do":"accounts"}'; }
