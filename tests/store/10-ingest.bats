load store

@test "what comes in a pipe is there, byte for byte and in order" {
	events 1 3000 10 1 | sed 's/,"tenant":"t0"//' >in
	store -d h <in
	cmp in <(export_all)
	[ -e h/default.db ]
	[ ! -e h/default.db-wal ]
}

@test "an export whose reader goes away ends without a word, with the code of SIGPIPE" {
	events 1 20000 10 2 >in
	store -d h <in
	{ store -x -d h 2>err || echo "$?" >code; } | head -n 1 >out
	[ "$(cat out)" = "$(grep -m 1 '"t0"' in)" ]
	[ "$(cat code)" -eq 141 ]
	[ ! -s err ]
}

@test "a database for each tenant; the export gives them by name" {
	events 1 1000 10 7 >in
	store -d h <in
	[ "$(cd h && echo *.db)" = "t0.db t1.db t2.db t3.db t4.db t5.db t6.db" ]
	cmp <(for t in 0 1 2 3 4 5 6; do grep "\"tenant\":\"t$t\"" in; done) <(export_all)
	cmp <(grep '"tenant":"t3"' in) <(export_all -T t3)
	run -1 store -x -d h -T t9
	[[ "$output" == *"t9"* ]]
}

@test "a repeat is the same source and id, however it is written" {
	{
		event a t '{"n":1}'
		event a t '{"n":1}'
		event a t '{"n":2,"other":"bytes"}'
		printf '{"id":"\\u0061","specversion":"1.0","source":"\\/test","type":"t"}\n'
		event A t
		event a. t
		event a t '{}' '"tenant":"t2"'
		printf '{"specversion":"1.0","id":"a","source":"/other","type":"t"}\n'
	} >in
	store -d h -M m <in
	export_all -T default >out
	[ "$(wc -l <out)" -eq 4 ]
	[ "$(head -n 1 out)" = "$(head -n 1 in)" ]
	[ "$(export_all -T t2 | wc -l)" -eq 1 ]
	# Again, in another process, and once more by the same one
	cat in in | store -d h
	cmp out <(export_all -T default)
}

@test "strange lines are kept as they are" {
	{
		printf '{"specversion":"1.0","id":"1","source":"/s","type":"x.unknown","data":{"text":"nul \\u0000 in it","deep":[[[[1e400,-0.0,9007199254740993]]]]}}\n'
		printf ' {\t"specversion" : "1.0", "id":"2","source":"/s","type":"t" } \n'
		printf '{"specversion":"1.0","id":"3","source":"/s","type":"t","data_base64":"AAEC"}\n'
		printf '{"specversion":"1.0","id":"4","source":"/s","type":"t","data":"just text","time":"9999-12-31T23:59:59Z"}\n'
		printf '{"specversion":"1.0","id":"5","source":"/s","type":"t","data":{"user":{"id":7,"name":[]},"text":{"a":1}},"causationid":null,"time":"0001-01-01T00:00:00Z"}\n'
		printf '{"specversion":"1.0","id":"6","source":"/s","type":"t","data":null,"partitionkey":"\\u00e9"}\n'
		printf '{"specversion":"1.0","id":"7","source":"/s","type":"t","data":{"user":{"id":""},"text":""}}\r\n'
	} >in
	store -d h <in
	cmp in <(export_all)
	run -0 store --check -d h
	[ "$output" = "default: ok, 7 events" ]
	serve
	[[ "$(head_of '{"q":"last","key":"é"}')" == '{"n":1,'* ]]
	[[ "$(head_of '{"q":"search","text":"nul in it"}')" == '{"n":1,'* ]]
}

@test "sequence numbers: the hub's, whatever order they come in; the next free one when taken; the next one from a pipe" {
	# Two hubs' worth of batches: the second one comes when the tables hold the first one's (a search has them filled).
	{ chat a 'word one'; chat b 'word two'; } >in
	nngcat --rep --listen "ipc://$T/hub" --data "$(printf '{"batch":"b1","n":2,"seq":[700,705]}\n'; cat in)"$'\n' --raw >hub1 2>&1 3>&- &
	hub=$!
	daemon_start store store -i "ipc://$T/hub" -d h -q "ipc://$T/q"
	wait_for hub1 '"done":"b1"'
	[ "$(head_of '{"q":"search","text":"word"}')" = '{"n":2,"seq":[700,705],"more":false}' ]
	kill $hub
	wait $hub || true
	{ chat c 'late word'; chat c 'late word'; chat d 'same number'; chat e 'word three'; } >late
	nngcat --rep --listen "ipc://$T/hub" --data "$(printf '{"batch":"b2","n":4,"seq":[600,601,705,706]}\n'; cat late)"$'\n' --raw >hub2 2>&1 3>&- &
	hub=$!
	wait_for hub2 '"done":"b2"'
	[ "$(head_of '{"q":"last"}')" = '{"n":5,"seq":[600,700,705,706,707],"more":false}' ]
	[ "$(head_of '{"q":"search","text":"word"}')" = '{"n":4,"seq":[600,700,705,707],"more":false}' ]
	[ "$(head_of '{"q":"id","id":"c"}')" = '{"n":1,"seq":[600],"more":false}' ]
	[ "$(head_of '{"q":"id","id":"d"}')" = '{"n":1,"seq":[706],"more":false}' ]
	grep -q 'sequence number 705 is another' store.err
	daemon_stop store
	kill $hub
	wait $hub || true
	DAEMON_KILLED=yes	# nngcat leaves its socket
	chat f 'from a pipe' | store -d h
	serve
	[ "$(head_of '{"q":"last","n":1}')" = '{"n":1,"seq":[708],"more":true}' ]
	store --check -d h
}

@test "persons and names are kept once, the last name stays" {
	{ chat 1 x ann; chat 2 x bob; chat 3 x ann | sed 's/"name":"ann"/"name":"Ann B."/'; } | store -d h
	[ "$(sqlite3 h/default.db 'SELECT uid, name FROM person ORDER BY uid')" = $'u-ann|Ann B.\nu-bob|bob' ]
	chat 4 x ann | sed 's/,"name":"ann"//' | store -d h
	[ "$(sqlite3 h/default.db 'SELECT name FROM person ORDER BY uid')" = $'Ann B.\nbob' ]
	[ "$(sqlite3 h/default.db 'SELECT count(*) FROM name')" -eq 2 ]
}
