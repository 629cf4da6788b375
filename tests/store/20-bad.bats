load store

@test "a line that is no event is named and left out, the others are stored" {
	{ chat 1 one; echo '{"id":1}'; chat 2 two; echo 'not json'; printf '{"specversion":"1.0","id":"x","source":"/s","type":"t","tenant":"../x"}\n'; chat 3 three; printf '{"half'; } >in
	run -1 --separate-stderr store -d h <in
	[[ "$stderr" == *"line 2"* && "$stderr" == *"line 4"* && "$stderr" == *"line 5"* ]]
	[[ "$stderr" == *"tenant must match"* && "$stderr" == *"line 7"* ]]
	cmp <(chat 1 one; chat 2 two; chat 3 three) <(export_all)
}

@test "a hub is told which line is refused, for good" {
	{ chat 1 one; echo '{"specversion":"1.0"}'; chat 2 two; } >in
	hub in 3
	daemon_start store store -i "ipc://$T/hub" -d h
	wait_for hub.out '^done b1'
	grep -q '^done b1 by [^,]*, 1 refused \[2 byte [0-9]*: id is missing\]$' hub.out
	daemon_stop store
	cmp <(chat 1 one; chat 2 two) <(export_all)
}

@test "one tenant's damaged database: its lines wait, the others' are stored" {
	chat 0 before u r t1 | store -d h
	printf 'this is not a database, it only is longer than a header, as long as it takes to be looked at %0200d' 0 >h/t1.db
	mkdir h/t2.db
	{ chat 1 x u r t1; chat 2 x u r t2; chat 3 x u r t3; } >in
	hub in 3
	daemon_start store store -i "ipc://$T/hub" -d h -q "ipc://$T/q"
	wait_for hub.out '^done b1'
	grep '^done b1' hub.out | grep -q '2 refused \[1 h/t1.db: file is not a database: .*, retry\] \[2 h/t2.db: .*, retry\]'
	grep -q 'h/t1.db.*move it away' store.err
	grep -q 'h/t2.db.*check that' store.err
	[ "$(ask '{"q":"last","tenant":"t3"}' | tail -n 1)" = "$(chat 3 x u r t3)" ]
	[[ "$(head_of '{"q":"last","tenant":"t1"}')" == '{"error":"h/t1.db: '* ]]
	[ "$(ask '{"q":"stats"}' | tail -n +2 | jq -c '[.tenant, .events, .error != null]' | tr '\n' ' ')" = '["t1",null,true] ["t2",null,true] ["t3",1,false] ' ]
	daemon_stop store
	run -1 store --check -d h
	[[ "$output" == *"t1.db"* && "$output" == *"t3: ok, 1 events"* ]]
	run -1 --separate-stderr store -x -d h
	[ "$output" = "$(chat 3 x u r t3)" ]
}

@test "it goes on by itself when the database is back" {
	mkdir h h/t1.db
	chat 1 x u r t1 >in
	mkfifo pipe
	exec 8<>pipe
	store -d h <pipe 2>err 8>&- 3>&- &
	pid=$!
	cat in >&8
	wait_for err 't1.db'
	rmdir h/t1.db
	stored() { [ "$(store -x -d h -T t1 2>/dev/null | wc -l)" -eq 1 ]; }
	wait_until 10 stored
	exec 8>&-
	wait $pid
	cmp in <(export_all)
	grep -q 'works again' err
}

@test "a check finds damage" {
	events 1 200 3 1 | sed 's/"tenant":"t0"/"tenant":"t"/' | store -d h
	run -0 store --check -d h
	[ "$output" = "t: ok, 200 events" ]
	sqlite3 h/t.db "UPDATE event SET line = 'x' WHERE seq = 7; DELETE FROM event WHERE seq = 9"
	run -1 store --check -d h
	[[ "$output" == *"event 7 is damaged"* && "$output" == *"199 events are there, 200 were counted"* && "$output" == *"table seen"* ]]
	dd if=/dev/urandom of=h/t.db bs=4096 seek=5 count=6 conv=notrunc status=none
	run -1 store --check -d h
	[[ "$output" == *"t"* && "$output" != *"ok"* ]]
}

@test "a schema of another program is refused" {
	chat 1 x | store -d h
	sqlite3 h/default.db "INSERT INTO schema_step VALUES(2, '002-new', 5)"
	run -1 --separate-stderr store -x -d h
	[[ "$stderr" == *"default.db"*"newer"* ]]
	sqlite3 h/default.db "DELETE FROM schema_step WHERE n = 2; UPDATE schema_step SET crc = crc + 1"
	run -1 --separate-stderr store -x -d h
	[[ "$stderr" == *"001-init was changed"* ]]
	sqlite3 h/default.db "DELETE FROM schema_step; INSERT INTO schema_step VALUES(2, 'x', 1)"
	run -1 --separate-stderr store -x -d h
	[[ "$stderr" == *"default.db"* ]]
}

@test "a released step that is edited, or a hole in the numbers, does not compile" {
	cp -r "$ROOT/src/store/schema" s
	s/compile s >steps
	grep -q '{ 1, "001-init",' steps
	(cd s && cksum 001-init.sql >>released)
	s/compile s >steps
	echo '-- more' >>s/001-init.sql
	run -1 s/compile s
	[[ "$output" == *"001-init.sql was released"* ]]
	rm s/released && cp "$ROOT/src/store/schema/released" s/
	mv s/001-init.sql s/002-init.sql
	run -1 s/compile s
	[[ "$output" == *"expected number 1"* ]]
}
