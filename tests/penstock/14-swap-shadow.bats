#!/usr/bin/env bats
# penstock swap --shadow and --diff, --canary, --promote.
load ../lib/daemon
load ../lib/line
load tree
load swap

# What a shadow would have said, and what it was given; the record of one that is at work.
shadow_by_hand() {
	mkdir -p "$D/service/.swap"
	echo '{"phase":"rest","how":"shadow","percent":0,"from":1,"next":2,"since":1795183550360828313,"dest":"analyze","stage":"analyze","trial":"analyze.1","chain":[{"service":"analyze"}],"program":{"native":true,"folder":"/","words":["x"],"options":[]}}' \
		>"$D/service/.swap/analyze"
	p swap --keep analyze
}

analysis() { event "$1.analyze" analysis.emotion "{\"channel\":{\"id\":\"r\"},\"user\":{\"id\":\"u\"},\"message_id\":\"$1\",\"top\":\"$2\",\"scores\":${3:-{\}}}"; }

@test "diff: by id; the order of members and times do not count, what only one says does" {
	tree_small
	tree_up
	{
		for i in 1 2 3 4 5 6; do chat "e-$i" "text $i"; done
		for i in 1 2 3 4 6; do analysis "e-$i" joy '{"joy":1,"anger":0}'; done
		analysis e-1.analyze joy		# another's: an id of the same ending
		event e-9.other x.y
	} >"$T/in"
	p send "$T/in"
	{
		for i in 1 2 3 4 5 6; do chat "e-$i" "text $i"; done
		analysis e-1 joy '{"anger":0,"joy":1}' | sed 's/"specversion"/"time":"2026-01-01T00:00:00Z",&/'
		analysis e-2 joy '{"joy":1,"anger":0}'
		analysis e-2 joy '{"joy":1,"anger":0}'	# twice, as after a kill
		analysis e-3 anger '{"joy":1,"anger":0}'
		analysis e-4 joy '{"joy":0.5,"anger":0}'
		analysis e-5 joy
		printf '{"half'
	} | shadow_by_hand
	run -0 p swap --diff analyze
	echo "$output"
	[[ $output == *"e-3.analyze: data.top"*'old "joy"'*'new "anger"'* ]]
	[[ $output == *"e-4.analyze: data.scores.joy"*'old 1'*'new 0.5'* ]]
	[[ $output == *"e-6.analyze: only the old one says something"* ]]
	[[ $output == *"e-5.analyze: only the new one says something"* ]]
	[[ $output == *"analyze: 6 events compared, 33.33 % equal; 2 differ, 1 only the old one made, 1 only the new one"* ]]
}

@test "diff: no more than five examples; what is kept has a bound" {
	tree_small
	tree_up
	for ((i = 1; i <= 20; i++)); do analysis "e-$i" joy; done >"$T/in"
	p send "$T/in"
	sed 's/"joy"/"fear"/' "$T/in" | shadow_by_hand
	run -0 p swap --diff analyze
	[ "$(grep -c ': data.top' <<<"$output")" -eq 5 ]
	[[ $output == *"and 15 more"*"20 events compared, 0.00 % equal; 20 differ"* ]]
	[[ $output == *"cannot be told"* ]]
	# 100 MB of it
	line=$(printf '%01000d' 7)
	yes "$line" | head -n 100000 | p swap --keep analyze
	[ "$(du -cb "$D"/run/shadow/analyze/* | tail -n 1 | cut -f 1)" -le 67108864 ]
	[ -z "$(cut -c 1001- "$D"/run/shadow/analyze/old.ndjson | grep . | head -n 1)" ]
}

@test "diff wants a shadow" {
	tree_new
	run -1 p swap --diff analyze
	[[ $output == *"no shadow is at work"* ]]
}
