load store

# Every kind of question is asked here; check-doors compares.
fill_history() {
	{
		chat m1 'Hello naïve world' ann lobby
		chat m2 '你好世界 😂😂' bob lobby
		emotion m1 joy 0.9
		chat m3 'she said "no way"' ann other
		event m1 chat.message '{"channel":{"id":"lobby"},"user":{"id":"u-eve","name":"eve"},"text":"hello again"}' '"partitionkey":"browser:lobby"' | sed 's|"/test"|"/else"|'
		chat x1 'elsewhere' ann lobby t2
	} >in
	store -d h <in
}
line() { sed -n "$1p" in; }

@test "last: the newest of a conversation or of all, in order; before; type" {
	fill_history
	serve
	ask '{"q":"last","tenant":"default","key":"browser:lobby","n":50}' >out
	[ "$(head -n 1 out)" = '{"n":4,"seq":[1,2,3,5],"more":false}' ]
	cmp <(tail -n +2 out) <(line 1; line 2; line 3; line 5)
	[ "$(head_of '{"q":"last","key":"browser:lobby","n":2}')" = '{"n":2,"seq":[3,5],"more":true}' ]
	[ "$(head_of '{"q":"last","key":"browser:lobby","n":2,"before":3}')" = '{"n":2,"seq":[1,2],"more":false}' ]
	[ "$(head_of '{"q":"last"}')" = '{"n":5,"seq":[1,2,3,4,5],"more":false}' ]
	[ "$(head_of '{"q":"last","type":"analysis.emotion"}')" = '{"n":1,"seq":[3],"more":false}' ]
	[ "$(head_of '{"q":"last","key":"browser:lobby","type":"chat.message","n":1}')" = '{"n":1,"seq":[5],"more":true}' ]
	[ "$(ask '{"q":"last","tenant":"t2"}' | tail -n 1)" = "$(line 6)" ]
	for nothing in '{"q":"last","key":"no"}' '{"q":"last","tenant":"no"}' '{"q":"last","type":"no"}'; do
		[ "$(ask "$nothing")" = '{"n":0,"seq":[],"more":false}' ]
	done
	[ ! -e h/no.db ]
}

@test "after: what follows a sequence number" {
	fill_history
	serve
	[ "$(head_of '{"q":"after","key":"browser:lobby","seq":1,"n":2}')" = '{"n":2,"seq":[2,3],"more":true}' ]
	[ "$(head_of '{"q":"after","seq":3}')" = '{"n":2,"seq":[4,5],"more":false}' ]
	[ "$(head_of '{"q":"after","seq":5}')" = '{"n":0,"seq":[],"more":false}' ]
}

@test "id: one event, or all that share the id; caused: what it led to" {
	fill_history
	serve
	ask '{"q":"id","id":"m1"}' >out
	[ "$(head -n 1 out)" = '{"n":2,"seq":[1,5],"more":false}' ]
	cmp <(tail -n +2 out) <(line 1; line 5)
	[ "$(ask '{"q":"id","id":"m1","source":"/else"}' | tail -n 1)" = "$(line 5)" ]
	[ "$(head_of '{"q":"id","id":"m9"}')" = '{"n":0,"seq":[],"more":false}' ]
	[ "$(ask '{"q":"caused","id":"m1"}' | tail -n 1)" = "$(line 3)" ]
	[ "$(head_of '{"q":"caused","id":"m1","type":"analysis.emotion"}')" = '{"n":1,"seq":[3],"more":false}' ]
	[ "$(head_of '{"q":"caused","id":"m2"}')" = '{"n":0,"seq":[],"more":false}' ]
}

@test "search: words as people type them" {
	fill_history
	serve
	found() { jq -nc --arg t "$1" "{q:\"search\",text:\$t${2:+,$2}}" >request; ask "$(cat request)" | head -n 1 | jq -c .seq; }
	[ "$(found hello)" = '[1,5]' ]
	[ "$(found 'HELLO naive')" = '[1]' ]
	[ "$(found 'hel*')" = '[1,5]' ]
	[ "$(found hel)" = '[]' ]
	[ "$(found '好世')" = '[2]' ]
	[ "$(found '界')" = '[2]' ]
	[ "$(found '😂')" = '[2]' ]
	[ "$(found '"no way"')" = '[4]' ]
	[ "$(found '"way no"')" = '[]' ]
	for odd in '"' '*' '(' 'AND' 'hello" OR "x' 'text:hello' '^hello' 'a - b' '{' "it's" 'NEAR(a b)' '\'; do
		[[ "$(found "$odd")" == '['* ]] || { echo "$odd"; return 1; }
	done
	[ "$(found hello 'n:1')" = '[5]' ]
	[ "$(found hello 'before:5')" = '[1]' ]
	[ "$(found 'hello OR said' 'raw:true')" = '[1,4,5]' ]
	[ "$(found hello 'key:"browser:other"')" = '[]' ]
	[ "$(found hello 'type:"chat.message"')" = '[1,5]' ]
	run ask '{"q":"search","text":"a AND (","raw":true}'
	[[ "$output" == '{"error":"text: fts5: syntax error'* ]]
	[ "$(found hello)" = '[1,5]' ]
}

@test "stats: a line for each tenant, page by page" {
	fill_history
	serve
	ask '{"q":"stats"}' >out
	[ "$(jq -sc '.[1:] | map([.tenant, .events, .bytes, .first, .last, .conversations])' out)" = \
		"[[\"default\",5,$(head -n 5 in | wc -c),1,5,2],[\"t2\",1,$(tail -n 1 in | wc -c),1,1,1]]" ]
	[ "$(head_of '{"q":"stats","n":1}' | jq .more)" = true ]
	[ "$(ask '{"q":"stats","from":"default"}' | tail -n 1 | jq -r .tenant)" = t2 ]
	[ "$(ask '{"q":"stats","tenant":"t2"}' | tail -n +2 | jq -r .tenant)" = t2 ]
}

@test "an error names the member, and the connection goes on" {
	serve
	[ "$(ask '{"q":"lsat"}')" = '{"error":"q: no question of this name: last after id caused search stats"}' ]
	[ "$(ask '{"q":"last","tenat":"x"}')" = '{"error":"tenat: no member of a question"}' ]
	[[ "$(ask 'x')" == '{"error":"request: '* ]]
	[ "$(ask '{"q":"last"}')" = '{"n":0,"seq":[],"more":false}' ]
}

@test "what was stored a moment ago is found, by every question" {
	mkfifo pipe
	store -d h -q "ipc://$T/q" <pipe 3>&- &
	pid=$!
	exec 8>pipe
	for i in 1 2 3 4 5; do
		chat "n$i" "message word$i" >&8
		there() { [[ "$(head_of "{\"q\":\"last\",\"n\":1}")" == "{\"n\":1,\"seq\":[$i]"* ]]; }
		wait_until 10 there
		[ "$(head_of "{\"q\":\"search\",\"text\":\"word$i\"}")" = "{\"n\":1,\"seq\":[$i],\"more\":false}" ]
		[ "$(head_of "{\"q\":\"id\",\"id\":\"n$i\"}")" = "{\"n\":1,\"seq\":[$i],\"more\":false}" ]
	done
	exec 8>&-
	wait $pid
}
