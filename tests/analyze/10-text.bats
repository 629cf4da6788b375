load ../lib/daemon
export PENSTOCK_SHARE=$ROOT/share

top() { analyze -t "$1" | jq -r .top; }
group() { analyze -t "$1" | jq -r .group; }

@test "plain sentences" {
	[ "$(top 'thank you so much for your help')" = gratitude ]
	[ "$(top 'I love you')" = love ]
	[ "$(top 'lol that is so funny')" = amusement ]
	[ "$(top 'this makes me so angry')" = anger ]
	[ "$(top 'that is disgusting')" = disgust ]
	[ "$(top 'I am so scared')" = fear ]
	[ "$(top 'I am so sorry for what I did')" = remorse ]
	[ "$(top 'why would you do that?')" = curiosity ]
	[ "$(top 'the meeting is on monday')" = neutral ]
	[ "$(group 'what a wonderful day')" = positive ]
	[ "$(group 'this is terrible, I hate it')" = negative ]
	[ "$(group 'this is not good')" = negative ]
	[ "$(group "I don't like it")" = negative ]
}

@test "probabilities: all of Ekman's and of the groups, 0 to 1, with three decimals" {
	analyze -t 'I love this so much, wow!' >"$T/out"
	jq -e '(.ekman | keys) == ["anger","disgust","fear","joy","neutral","sadness","surprise"]' "$T/out"
	jq -e '(.groups | keys) == ["ambiguous","negative","neutral","positive"]' "$T/out"
	jq -e '[.scores[], .ekman[], .groups[], .confidence, .known] | all(. >= 0 and . <= 1 and (. * 1000 - (. * 1000 | round) | fabs) < 1e-6)' "$T/out"
	jq -e '.confidence == .groups[.group] and .scores[.top] == ([.scores[]] | max)' "$T/out"
	jq -e '.model | test("^emotion-[0-9a-f]{8}$")' "$T/out"
	jq -e '.lang == "en" and .known == 1 and (has("sarcasm") | not)' "$T/out"
}

@test "emotes of the table, their repeats, and a channel's own by their ending" {
	[ "$(top LUL)" = amusement ]
	[ "$(top 'KEKW KEKW KEKW')" = amusement ]
	[ "$(top forsenLUL)" = amusement ]
	[ "$(top 'monkaS')" = nervousness ]
	[ "$(group 'PogChamp')" = positive ]
	[ "$(group 'BibleThump')" = negative ]
	[ "$(top '😂😂😂')" = amusement ]
	[ "$(top '❤️')" = love ]
	[ "$(analyze -t 'Kappa nice' | jq -r .sarcasm)" = possible ]
}

@test "an operator's table: words, a channel of its own, nothing said" {
	printf '# mine\nrooCry\tso sad\nrooLove\tlove\nzzz\t-\n' >"$T/e"
	[ "$(analyze -e "$T/e" -t rooCry | jq -r .top)" = sadness ]
	[ "$(analyze -e "$T/e" -t rooLove | jq -r .top)" = love ]
	run analyze -L text -e "$T/e" -t zzz
	[ "$status" -eq 1 ]
	[[ "$output" == *"nothing to judge"* ]]
	[ "$(analyze -e "$T/e" -t rooLoves | jq -r .lang)" = unknown ]
}

@test "other languages are neutral, unknown, and not sure" {
	for text in 'これはとても面白いですね' '너무 재미있어요 정말' 'что за ерунда происходит здесь' 'das ist ja wirklich ganz wunderbar gemacht' \
		'c est vraiment très drôle aujourd hui' 'qwe rtz uiop asdf'; do
		analyze -t "$text" >"$T/out"
		jq -e '.lang == "unknown" and .top == "neutral" and .group == "neutral" and .known < 0.5 and .confidence <= .known' "$T/out" ||
			{ cat "$T/out"; false; }
	done
}

@test "what is not judged: commands, bare links, nothing" {
	for text in '!help' '!x y' 'https://example.org/love' '' '   ' '<:custom:123>'; do
		run analyze -L text -t "$text"
		[ "$status" -eq 1 ]
		[[ "$output" == *"nothing to judge"* ]]
	done
	[ "$(top '!!! love it')" = love ]
}

@test "links, mentions, quotes and code leave no trace" {
	analyze -t 'I love it' | jq -S 'del(.x)' >"$T/want"
	analyze -t 'I love it https://hate.example/angry' | diff - "$T/want" || analyze -t 'I love it https://hate.example/angry' | jq -S . | diff - "$T/want"
	printf '> I hate this\nI love it' >"$T/quoted"
	analyze -t "$(cat "$T/quoted")" | jq -S . | diff - "$T/want"
	analyze -t 'I love it ```kill -9 angry```' | jq -S . | diff - "$T/want"
}

@test "--explain names what weighed most" {
	analyze -x 'I love this' >"$T/out"
	[ "$(sed -n 1p "$T/out")" = 'read as: i love this ' ]
	grep -qx 'love [01]\.[0-9]*' "$T/out"
	grep -qx '  +[0-9.]*  word love' "$T/out"
	[ "$(grep -c '(nothing known)' "$T/out")" -eq 3 ]
}

@test "hostile text: long, broken, full of marks" {
	analyze -t "$(printf 'a%.0s' {1..100000})" | jq -e .top
	analyze -t "$(printf 'love %.0s' {1..20000})" | jq -e '.top == "love"'
	analyze -t "$(printf '😂%.0s' {1..5000})" | jq -e '.top == "amusement"'
	analyze -t "$(printf '\xff\xfe love \xc3')" | jq -e '.top == "love"'
	analyze -t "$(printf '<@%.0s' {1..3000})x love" | jq -e .top
}
