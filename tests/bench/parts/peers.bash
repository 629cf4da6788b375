# durable intake of single events, beside NATS JetStream, Redis, RabbitMQ, syslog-ng and rsyslog on the same disk
# Every server has a folder, loopback ports and a log of its own here, and is ended by its pid. All run at once, and are measured in
# turn, three rounds; the medians are printed.

peer_names=() peer_pids=()
# server NAME PORT COMMAND...: starts a peer and waits, at most 60 s, until the port answers.
server() {
	local name=$1 port=$2; shift 2
	"$@" >"$name.log" 2>&1 &
	pids+=($!) peer_pids+=($!)
	for _ in $(seq 600); do
		! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { peer_names+=("$name"); return 0; }
		kill -0 "${peer_pids[-1]}" 2>/dev/null || break
		sleep 0.1
	done
	tail -n 5 "$name.log" >&2; say "$name did not start"; return 1
}
absent() { echo "skipped: $1, $2 is not installed (scripts/deps bench)"; }
note() { eval "note_$1=\$2"; }

# the peers that are here
if nats=$(prog nats-server); then
	printf 'listen: 127.0.0.1:14222\njetstream { store_dir: "%s/nats" }\n' "$work" > nats.conf
	server nats 14222 "$nats" -c nats.conf || true
	note nats "it is written; synced every 2 minutes ($("$nats" --version | sed 's/.*: //') has no other way): a loss of power loses it"
else absent JetStream nats-server; fi
if redis=$(prog redis-server); then
	mkdir redis
	server redis 16379 "$redis" --port 16379 --bind 127.0.0.1 --dir "$work/redis" --appendonly yes --appendfsync always \
		--save '' --auto-aof-rewrite-percentage 0 || true
	note redis "it is synced (appendonly yes, appendfsync always); the stream is in memory as well"
else absent "Redis streams" redis-server; fi
rabbit=$(prog rabbitmq-server) && rabbit_sbin=$(echo "${rabbit%/usr/sbin/*}"/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin) || rabbit=
if [ -n "$rabbit" ] && have erl && have epmd; then
	mkdir rabbit
	echo '[].' > rabbit/plugins
	echo 'listeners.tcp.1 = 127.0.0.1:15672' > rabbit/rabbitmq.conf
	epmd -port 14369 -address 127.0.0.1 >epmd.log 2>&1 &
	pids+=($!) peer_pids+=($!)
	# As a service manager would: erl in the place of the script, so that its pid is the server's.
	server rabbit 15672 env HOME="$work/rabbit" ERL_EPMD_PORT=14369 ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_CONF_ENV_FILE=/dev/null \
		NOTIFY_SOCKET=none RABBITMQ_NODENAME=bench@localhost RABBITMQ_MNESIA_BASE="$work/rabbit/db" \
		RABBITMQ_LOG_BASE="$work/rabbit/log" RABBITMQ_ENABLED_PLUGINS_FILE="$work/rabbit/plugins" \
		RABBITMQ_CONFIG_FILE="$work/rabbit/rabbitmq.conf" RABBITMQ_DIST_PORT=15673 \
		RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-start_epmd false -noinput -kernel inet_dist_use_interface {127,0,0,1}" \
		sh "$rabbit_sbin/rabbitmq-server" || true
	note rabbit "it is synced in the log of a quorum queue (one node), publisher confirms"
else absent "RabbitMQ quorum queue" rabbitmq-server; fi
if rsyslog=$(prog rsyslogd) && modules=$(rsyslog_modules "$rsyslog") && [ -e "$modules/imrelp.so" ]; then
	# relay NAME PORT SYNC CHECKPOINT: RELP in, a disk queue, a file out
	relay() {
		mkdir "$1"
		cat > "$1.conf" <<-END
			global(workDirectory="$work/$1" maxMessageSize="64k")
			main_queue(queue.type="disk" queue.filename="q" queue.syncQueueFiles="$3" queue.checkpointInterval="$4"
				queue.maxFileSize="64m" queue.dequeueBatchSize="1024")
			module(load="imrelp")
			input(type="imrelp" port="$2" address="127.0.0.1")
			template(name="raw" type="string" string="%rawmsg%\\n")
			action(type="omfile" file="$work/$1/out" template="raw")
		END
		server "$1" "$2" "$rsyslog" -n -f "$work/$1.conf" -i "$work/$1.pid" -M "$modules" || true
	}
	relay rsyslog 15514 on 1
	relay rsyslog_lazy 15517 off 1000
	note rsyslog "it is synced in its disk queue (syncQueueFiles on, checkpointInterval 1), RELP"
	note rsyslog_lazy "it is written to its disk queue, not synced, RELP: a loss of power loses it"
else absent rsyslog "rsyslog or rsyslog-relp"; fi
if syslog_ng=$(prog syslog-ng); then
	mkdir syslog_ng
	ng=${syslog_ng%/usr/sbin/*}/usr/lib/syslog-ng
	cat > syslog_ng.conf <<-END
		@version: 3.38
		options { log-msg-size(65536); stats-level(1); };
		source s { network(ip("127.0.0.1") port(15515) transport("tcp") flags(no-parse) log-iw-size(100000) max-connections(10)); };
		destination d { network("127.0.0.1" port(15516) transport("tcp") disk-buffer(reliable(yes)
			disk-buf-size(8589934592) mem-buf-size(16777216) dir("$work/syslog_ng"))); };
		log { source(s); destination(d); flags(flow-control); };
	END
	server syslog_ng 15515 env LD_LIBRARY_PATH="$ng" "$syslog_ng" -F --no-caps -f "$work/syslog_ng.conf" --module-path="$(echo "$ng"/[0-9]*)" \
		-R "$work/syslog_ng/persist" -p "$work/syslog_ng/pid" -c "$work/syslog_ng/ctl" || true
	note syslog_ng "there is none; counted when all is in its disk buffer (reliable), not synced: a loss of power loses it"
else absent syslog-ng syslog-ng-core; fi

# measure NAME IN_FLIGHT COMMAND...: the third word that the command prints is lines/s. In flight, 256x1: 256 clients, one line each.
measured=()
measure() {
	local key=$1_$2 got; shift 2
	case " ${measured[*]-} " in *" $key "*) ;; *) measured+=("$key") ;; esac
	sync
	got=$("$@" | awk '{ print $3 }')
	[ -n "$got" ] || { say "$key: $* failed"; got=0; }
	eval "got_$key=\"\${got_$key-} \$got\""
}
middle() { eval "printf '%s\n' \$got_$1" | sort -n | sed -n 2p; }
up() { case " ${peer_names[*]-} " in *" $1 "*) ;; *) return 1 ;; esac; }
load() { "$tools/peer" "$@" < "${feed-corpus}"; }
ours() { # CONNS BATCH ROUNDS
	hub 'all -> nobody' -s always
	"$tools/put" ipc://run/in "$@" < "${feed-corpus}"
	peak "$pid_route" > peak.ours
	stop route
}
raw() { "$tools/append" raw 256 1 < corpus; }
filled() { # QUEUED: syslog-ng: until its queue holds so many
	local begin; begin=$(now)
	load lines 15515 1 1000000 > /dev/null
	for _ in $(seq 1000); do
		! LD_LIBRARY_PATH=$ng "${syslog_ng}-ctl" stats -c "$work/syslog_ng/ctl" | grep -q "^dst.*queued;$1\$" ||
			{ echo "$lines - $(rate "$lines" "$begin")"; return; }
		sleep 0.01
	done
}
head -n $((lines / 4)) corpus > corpus.4; head -n $((lines / 8)) corpus > corpus.8; head -n $((lines / 200)) corpus > corpus.200

for round in 1 2 3; do
	say "peers, round $round"
	measure raw 256 raw
	measure penstock 1024 ours 4 256 5
	measure penstock 4096 ours 4 1024 5
	measure penstock 16384 ours 16 1024 5
	feed=corpus.4 measure penstock 256x1 ours 256 1
	if up nats; then
		measure nats 1024 load nats 14222 4 256
		measure nats 4096 load nats 14222 4 1024
		feed=corpus.4 measure nats 256x1 load nats 14222 256 1
	fi
	if up redis; then
		measure redis 1024 load redis 16379 16 64
		measure redis 4096 load redis 16379 16 256
		measure redis 16384 load redis 16379 64 256
		feed=corpus.4 measure redis 256x1 load redis 16379 256 1
	fi
	if up rabbit; then
		feed=corpus.4 measure rabbit 1024 load amqp 15672 4 256
		feed=corpus.4 measure rabbit 4096 load amqp 15672 4 1024
		feed=corpus.8 measure rabbit 256x1 load amqp 15672 256 1
	fi
	! up rsyslog || feed=corpus.200 measure rsyslog 1024 load relp 15514 1 1024
	! up rsyslog_lazy || feed=corpus.4 measure rsyslog_lazy 1024 load relp 15517 1 1024
	! up syslog_ng || measure syslog_ng all filled $((round * lines))
done
for pid in ${peer_pids[@]+"${peer_pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
for pid in ${peer_pids[@]+"${peer_pids[@]}"}; do wait "$pid" 2>/dev/null || true; done

note raw "the same bytes in one file, an fdatasync for each 256 lines: the limit"
note penstock "it is synced in the spool (-s always); repeats of an id are dropped"
declare -A same=() our=()
best=0 base=0
for key in "${measured[@]}"; do
	name=${key%_*} flight=${key##*_} got=$(middle "$key")
	case $name in
	penstock)
		our[$flight]=$got
		[ "$flight" = 256x1 ] || [ "$got" -le "$base" ] || base=$got ;;
	redis | rabbit | rsyslog)
		[ "$got" -le "$best" ] || best=$got
		[ "$got" -le "${same[$flight]-0}" ] || same[$flight]=$got ;;
	esac
done
printf '%-14s %9s %10s %11s  %s\n' "intake" "in flight" lines/s "penstock/it" "an acknowledgement says of its line that"
for key in "${measured[@]}"; do
	name=${key%_*} flight=${key##*_} got=$(middle "$key")
	eval "what=\$note_$name"
	printf '%-14s %9s %10s %11s  %s\n' "${name/raw/raw log}" "$flight" "$got" "$(ratio "${our[$flight]-$base}" "$got")" "$what"
done
echo "in flight: lines given and not acknowledged; 256x1: 256 clients with one line each. Every line is a message with an acknowledgement of its"
echo "own; penstock's travel and are acknowledged 256 or 1024 at a time (4 or 16 connections), the peers' are pipelined, all that fit in one"
echo "write (1 to 64 connections, what suited each best). penstock/it: with the same number in flight, if there is such a row, or its best."
if [ "$best" -gt 0 ]; then
	for flight in 256x1 1024 4096 16384; do
		[ -z "${same[$flight]-}" ] || echo "penstock / best durable peer, $flight in flight: $(ratio "${our[$flight]}" "${same[$flight]}")"
	done
	echo "penstock / best durable peer, each with what suits it best: $(ratio "$base" "$best")"
fi
echo "penstock / raw log: $(ratio "$base" "$(middle raw_256)"). Peak RSS of route: $(cat peak.ours)"
unset same our
rm -rf nats redis rabbit rsyslog rsyslog_lazy syslog_ng
